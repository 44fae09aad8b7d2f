import type { Page } from 'playwright-core'
import { afterEach, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { addressOf, filterOf, focusedOn, namesOn, saidOn, settled, small } from '../support/browser/list.ts'
import { signIn, stage } from '../support/browser/fixture.ts'

const { portal, as } = stage(() => ({ world: createDemoWorld({ salesUnits: 1 }) }))

async function query(text: string): Promise<{ rows: Record<string, unknown>[] }> {
  return portal().portal.database.pool.query(text)
}

async function endIn(seconds: number) {
  return query(`update sessions set ends_at = now() + interval '${seconds} seconds'`)
}

async function end() {
  return query('delete from sessions')
}

async function secondsLeft(): Promise<number> {
  const { rows } = await query('select extract(epoch from ends_at - now()) as left from sessions')
  return Number(rows[0]?.['left'])
}
afterEach(end)

async function open(path: string, options: { readonly clock?: boolean } = {}): Promise<Page> {
  const { page } = await as(await portal().signedIn('Kari Nordmann'))
  if (options.clock) await page.clock.install()
  await page.goto(path)
  return page
}

function notice(page: Page) {
  return page.locator('.session-timeout:visible')
}

const fjord = ['Fjord Fitness & Spa', 'Fjord Fitness & Spa innlogging']

async function filter(page: Page): Promise<void> {
  await filterOf(page).fill('fjord')
  await expect.poll(async () => saidOn(page)).toBe('2 of 12 sales units match “fjord”')
}

async function isWhereItWas(page: Page): Promise<void> {
  return expect([addressOf(page), await filterOf(page).inputValue(), await namesOn(page)]).toEqual([
    `${small}?q=fjord`,
    'fjord',
    fjord,
  ])
}

async function signInAgain(page: Page): Promise<void> {
  await notice(page).getByRole('link', { name: 'Sign in again' }).click()
  await page.getByRole('button', { name: 'Kari Nordmann' }).click()
  await page.waitForURL(`${portal().url}/partners/**`)
}

/** What a page hears when the computer has slept. */
async function wake(page: Page): Promise<void> {
  return page.evaluate("void document.dispatchEvent(new Event('visibilitychange'))")
}

describe('a session that is about to end', () => {
  it('is told of two minutes before, takes nobody from what they do, and one press puts it off', async () => {
    const page = await open(small, { clock: true })
    await filter(page)
    await endIn(115)
    await page.clock.fastForward('27:00')
    expect(await notice(page).count()).toBe(0)
    await page.clock.fastForward('01:30')
    await expect
      .poll(async () => notice(page).innerText())
      .toMatch(/^You will be signed out at \d\d:\d\d, because the portal has not been used for a while\./)
    expect(await notice(page).getAttribute('role')).toBe('status')
    expect(await focusedOn(page).getAttribute('id')).toBe('q')
    await page.getByRole('button', { name: 'Stay signed in' }).click()
    await expect.poll(async () => notice(page).count()).toBe(0)
    expect(await secondsLeft()).toBeGreaterThan(29 * 60)
    await isWhereItWas(page)
  })

  it('is not told of when another tab has put it off', async () => {
    const page = await open(small, { clock: true })
    const answer = page.waitForResponse('**/session/ending')
    await page.clock.fastForward('29:00')
    await (await answer).finished()
    await settled(page)
    expect(await notice(page).count()).toBe(0)
  })

  it('by its age is told of with the way in again, back to where one is by then', async () => {
    const page = await open(small)
    await query(`update sessions set signed_in_at = now() - interval '12 hours' + interval '100 seconds'`)
    const asked = page.waitForResponse('**/session/ending')
    await page.reload()
    await (await asked).finished()
    await settled(page)
    expect(await notice(page).innerText()).toMatch(
      /^You will be signed out at \d\d:\d\d, because a sign-in only lasts so long\./,
    )
    await filter(page)
    await signInAgain(page)
    await isWhereItWas(page)
  })
})

describe('a session that has ended', () => {
  it('is told of, with what was there still there, and leads back to it', async () => {
    const page = await open(small)
    await filter(page)
    await end()
    await wake(page)
    await expect
      .poll(async () => notice(page).innerText())
      .toMatch(/^You have been signed out\. What you have typed is still here\./)
    await isWhereItWas(page)
    await signInAgain(page)
    await isWhereItWas(page)
  })

  it('leads who types on to sign in, in words, and then to what they typed', async () => {
    const page = await open(small)
    await end()
    await filterOf(page).fill('fjord')
    await page.waitForURL(`${portal().url}/?*`)
    expect(await page.locator('main .ds-alert').innerText()).toBe('Sign in to see the page you asked for.')
    await signIn(page, 'Kari Nordmann', portal())
    await isWhereItWas(page)
  })
})
