import type { Page } from 'playwright-core'
import { afterEach, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { addressOf, filterOf, focusedOn, namesOn, summaryOn, settled, small } from '../support/browser/list.ts'
import { signIn, browserFixture } from '../support/browser/fixture.ts'

const { portal, as } = browserFixture(() => ({ world: createDemoWorld({ salesUnits: 1 }) }))

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
  await expect.poll(async () => summaryOn(page)).toBe('2 of 12 sales units match “fjord”')
}

async function expectUnchanged(page: Page): Promise<void> {
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

/** Sends the event that a page receives when the computer wakes up. */
async function wake(page: Page): Promise<void> {
  return page.evaluate("void document.dispatchEvent(new Event('visibilitychange'))")
}

describe('a session that is about to end', () => {
  it('is announced two minutes before without moving the focus, and is extended with one click', async () => {
    const page = await open(small, { clock: true })
    await filter(page)
    await endIn(115)
    await page.clock.fastForward('27:00')
    expect(await notice(page).count()).toBe(0)
    await page.clock.fastForward('01:30')
    await expect
      .poll(async () => notice(page).innerText())
      .toMatch(/^You will be signed out at \d\d:\d\d CES?T, because the portal has not been used for a while\./)
    expect(await notice(page).getAttribute('role')).toBe('status')
    expect(await focusedOn(page).getAttribute('id')).toBe('q')
    await page.getByRole('button', { name: 'Stay signed in' }).click()
    await expect.poll(async () => notice(page).count()).toBe(0)
    expect(await secondsLeft()).toBeGreaterThan(29 * 60)
    await expectUnchanged(page)
  })

  it('is not announced when another tab has extended it', async () => {
    const page = await open(small, { clock: true })
    const answer = page.waitForResponse('**/session/ending')
    await page.clock.fastForward('29:00')
    await (await answer).finished()
    await settled(page)
    expect(await notice(page).count()).toBe(0)
  })

  it('by its age is announced with a link to sign in again and return to the current page', async () => {
    const page = await open(small)
    await query(`update sessions set signed_in_at = now() - interval '12 hours' + interval '100 seconds'`)
    const asked = page.waitForResponse('**/session/ending')
    await page.reload()
    await (await asked).finished()
    await settled(page)
    expect(await notice(page).innerText()).toMatch(
      /^You will be signed out at \d\d:\d\d CES?T, because sessions have a time limit\./,
    )
    await filter(page)
    await signInAgain(page)
    await expectUnchanged(page)
  })
})

describe('a session that has ended', () => {
  it('is announced on the unchanged page, with a link to sign in again and return', async () => {
    const page = await open(small)
    await filter(page)
    await end()
    await wake(page)
    await expect
      .poll(async () => notice(page).innerText())
      .toMatch(/^You have been signed out\. What you typed is still here\./)
    await expectUnchanged(page)
    await signInAgain(page)
    await expectUnchanged(page)
  })

  it('sends a user who types on to the sign-in page, and back to what they typed', async () => {
    const page = await open(small)
    await end()
    await filterOf(page).fill('fjord')
    await page.waitForURL(`${portal().url}/?*`)
    expect(await page.locator('main .ds-alert').innerText()).toBe(
      'When you sign in, you will come back to Sales units.',
    )
    await signIn(page, 'Kari Nordmann', portal())
    await expectUnchanged(page)
  })
})
