import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import {
  addressOf,
  choose,
  filterOf,
  focusedOn,
  holdBack,
  large,
  namesOn,
  settled,
  summaryOn,
  small,
} from '../support/browser/list.ts'
import { browserFixture } from '../support/browser/fixture.ts'
import { whileSalesUnitsWait } from '../support/locked-table.ts'

const { signedIn, portal } = browserFixture()

const fjord = ['Fjord Fitness & Spa', 'Fjord Fitness & Spa innlogging']
const bergen = ['Bergen Fitness Sentrum']
const recurring = ['ACME Fantastic Fitness', 'Bergen Fitness Sentrum']

async function open(path: string) {
  const visitor = await signedIn('Åse Bjørk')
  await visitor.page.goto(path)
  return visitor
}

async function expectNames(page: Page, names: readonly string[]): Promise<void> {
  return expect.poll(async () => namesOn(page)).toEqual(names)
}

/** Expects rows, field and URL to have the same filter. */
async function expectFilter(page: Page, q: string, names: readonly string[], address: string): Promise<void> {
  await expect.poll(() => addressOf(page)).toBe(address)
  await expectNames(page, names)
  expect(await filterOf(page).inputValue()).toBe(q)
}

/** Opens the page with its scripts held back until the returned function is called. */
async function openWithoutScripts(page: Page, path: string): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  await page.route(/portal\.js/, async (route) => promise.then(async () => route.continue()))
  await page.goto(path, { waitUntil: 'commit' })
  return resolve
}

describe('the list while the user types', () => {
  it('is filtered 150 ms after the last key, with one request', async () => {
    const { page } = await signedIn('Åse Bjørk')
    await page.clock.install()
    await page.goto(small)
    const asked: string[] = []
    page.on('request', (request) => {
      if (request.resourceType() === 'fetch') asked.push(new URL(request.url()).search)
    })
    await page.clock.pauseAt(Date.now() + 10_000)
    await filterOf(page).pressSequentially('fjo')
    await page.clock.runFor(149)
    await filterOf(page).pressSequentially('rd')
    await page.clock.runFor(149)
    expect(asked).toEqual([])
    await page.clock.runFor(1)
    await page.clock.resume()
    await expectFilter(page, 'fjord', fjord, `${small}?q=fjord`)
    expect(asked).toEqual(['?q=fjord'])
  })

  it.each([
    ['typed', 'fjord', undefined, fjord, `${small}?q=fjord`],
    ['typed and ticked', 'fitness', 'Recurring payments', recurring, `${small}?q=fitness&can=recurringAllowed`],
  ])('is filtered by what was %s before the scripts were loaded', async (_, q, tick, names, address) => {
    const { page } = await signedIn('Åse Bjørk')
    const loadScripts = await openWithoutScripts(page, small)
    await filterOf(page).pressSequentially(q)
    if (tick !== undefined) {
      await page.locator('.filters summary', { hasText: 'Features' }).click()
      await page.getByLabel(tick).check()
    }
    expect(await summaryOn(page)).toBe('12 sales units')
    loadScripts()
    await expectFilter(page, q, names, address)
  })

  it('marks the matches, shows their count, and keeps the caret', async () => {
    const { page } = await open(small)
    await filterOf(page).pressSequentially('bgen')
    await expect.poll(async () => summaryOn(page)).toBe('0 of 12 sales units match “bgen”')
    for (const key of ['Home', 'ArrowRight', 'e', 'r']) await page.keyboard.press(key)
    await expect.poll(async () => summaryOn(page)).toBe('1 of 12 sales units matches “bergen”')
    expect(await page.locator('main mark').allInnerTexts()).toEqual(['Bergen'])
    expect(await focusedOn(page).getAttribute('id')).toBe('q')
    expect(await page.evaluate('document.activeElement.selectionStart')).toBe(3)
    await page.keyboard.press('Control+A')
    await page.keyboard.press('Delete')
    await expect.poll(async () => summaryOn(page)).toBe('12 sales units')
    expect(await page.locator('main mark').count()).toBe(0)
    expect(addressOf(page)).toBe(small)
  })

  it.each([
    ['after the newer one', ['bergen', 'fjord']],
    ['before the newer one', ['fjord', 'bergen']],
  ] as const)('ignores an older response that comes %s', async (_when, order) => {
    const { page } = await open(small)
    const held = {
      fjord: await holdBack(page, `${small}?q=fjord`),
      bergen: await holdBack(page, `${small}?q=bergen`),
    }
    await filterOf(page).fill('fjord')
    await held.fjord.asked
    await filterOf(page).fill('bergen')
    await held.bergen.asked
    const shown: string[][] = []
    for (const q of order) {
      await held[q].release()
      shown.push(await namesOn(page))
    }
    // The older response is never shown, not even for a moment.
    expect(shown).not.toContainEqual(fjord)
    await expectFilter(page, 'bergen', bergen, `${small}?q=bergen`)
  })
})

it('text typed during another filter request is kept, and both filters apply', async () => {
  const { page } = await signedIn('Åse Bjørk')
  await page.clock.install()
  await page.goto(small)
  const { asked, startRelease } = await holdBack(page, `${small}?market=NO`)
  await choose(page, 'Market', 'Norway')
  await asked
  await page.clock.pauseAt(Date.now() + 10_000)
  await filterOf(page).pressSequentially('fi')
  startRelease()
  // The first response arrives well within the 150 ms.
  await expect
    .poll(async () => {
      await page.clock.runFor(1)
      return summaryOn(page)
    })
    .toBe('7 of 12 sales units')
  await page.clock.resume()
  await filterOf(page).pressSequentially('tness sentrum')
  await expectFilter(page, 'fitness sentrum', bergen, `${small}?q=fitness+sentrum&market=NO`)
})

describe('a typed filter', () => {
  it('is one history entry; back, forward, reload and the shared URL show the same list', async () => {
    const { page } = await open(large)
    const first = await namesOn(page)
    await page.getByRole('link', { name: 'Next' }).click()
    await page.waitForURL('**?page=2')
    await expect.poll(async () => namesOn(page)).not.toEqual(first)
    const second = await namesOn(page)
    await filterOf(page).fill('o')
    await page.waitForURL('**?q=o')
    await filterOf(page).fill('oslo')
    await page.waitForURL('**?q=oslo')
    await expect.poll(async () => summaryOn(page)).toMatch(/match “oslo”$/)
    const oslo = await namesOn(page)

    await page.goBack()
    await expectFilter(page, '', second, `${large}?page=2`)
    await page.goForward()
    await expectFilter(page, 'oslo', oslo, `${large}?q=oslo`)
    await page.reload()
    await expectFilter(page, 'oslo', oslo, `${large}?q=oslo`)
    await page.goBack()
    await expectFilter(page, '', second, `${large}?page=2`)
    await page.goBack()
    await expectFilter(page, '', first, large)

    const { page: colleague } = await open(`${large}?q=oslo`)
    await expectFilter(colleague, 'oslo', oslo, `${large}?q=oslo`)
  })

  it('is kept when the list is sorted and another filter is removed', async () => {
    const { page } = await open(small)
    await choose(page, 'Market', 'Norway')
    await page.waitForURL('**?market=NO')
    await filterOf(page).fill('fjord')
    await expectFilter(page, 'fjord', fjord, `${small}?q=fjord&market=NO`)
    for (const order of ['ascending', 'descending']) {
      await page.getByRole('button', { name: 'MSN' }).click()
      const heading = page.locator('th', { hasText: 'MSN' })
      await expect.poll(async () => heading.getAttribute('aria-sort')).toBe(order)
    }
    const [one, two] = fjord
    await expectFilter(page, 'fjord', [two, one].map(String), `${small}?q=fjord&sort=-msn&market=NO`)
    await page.getByRole('link', { name: 'Remove filter: Market: Norway' }).click()
    await expectFilter(page, 'fjord', [two, one].map(String), `${small}?q=fjord&sort=-msn`)
    expect(await page.locator('input[name=market]:checked').inputValue()).toBe('')
    expect(await page.locator('.chips').count()).toBe(0)
  })

  it('without a match is shown with a link to the whole list', async () => {
    const { page } = await open(small)
    const all = await namesOn(page)
    await filterOf(page).fill('<b>zz')
    const empty = page.locator('.empty')
    await expect.poll(async () => empty.locator('h2').innerText()).toBe('No sales unit matches “<b>zz”')
    expect(await empty.innerText()).toContain('Try part of the name, the MSN or the business identifier.')
    await empty.getByRole('link', { name: 'Clear search and filters' }).click()
    await expectFilter(page, '', all, small)
    expect(await focusedOn(page).innerText()).toBe('12 sales units')
  })
})

describe('the page of a user who types stays', () => {
  const answered = async (page: Page, address: string, status: number) =>
    page.waitForResponse((response) => response.url().endsWith(address) && response.status() === status)

  it('when the answer for the first letters is an error', async () => {
    const { page, watched } = await signedIn('Åse Bjørk')
    watched.expect(/status of 422/)
    await page.clock.install()
    await page.goto(small)
    await page.evaluate('globalThis.isSamePage = true')
    await page.clock.pauseAt(Date.now() + 10_000)
    await whileSalesUnitsWait(portal().portal.database, async () => {
      const refused = answered(page, '?q=fjo', 422)
      await filterOf(page).pressSequentially('fjo')
      await page.clock.runFor(150)
      await filterOf(page).pressSequentially('rd')
      await refused
    })
    await page.clock.resume()
    await expectFilter(page, 'fjord', fjord, `${small}?q=fjord`)
    expect(await page.evaluate('isSamePage')).toBe(true)
  })

  it('when the portal refuses a request that came too soon; the list follows a moment later', async () => {
    const { page, watched } = await open(small)
    watched.expect(/status of 429/)
    await page.evaluate('globalThis.isSamePage = true')
    // As floods.ts refuses it, whose turn in a real flood is a matter of chance; concurrency.test.ts shows that.
    const refusal = { status: 429, headers: { 'Retry-After': '1' }, body: 'Too many requests' }
    await page.route('**/sales-units?q=fjord', async (route) => route.fulfill(refusal), { times: 1 })
    const refused = answered(page, '?q=fjord', 429)
    await filterOf(page).fill('fjord')
    await refused
    await expectFilter(page, 'fjord', fjord, `${small}?q=fjord`)
    expect(await page.evaluate('isSamePage')).toBe(true)
  })

  it('when the session ends, without the sign-in page among the matches of the bar', async () => {
    const { page, context } = await open(small)
    await context.clearCookies()
    const redirected = answered(page, encodeURIComponent('/partners/12345/search?q=fjord'), 200)
    await page.locator('#find').pressSequentially('fjord')
    await redirected
    await settled(page)
    expect(await page.locator('#suggestions').innerText()).toBe('')
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname === '/')
  })
})

it('the search of the bar has the matches of what was typed before the scripts were loaded', async () => {
  const { page } = await signedIn('Åse Bjørk')
  const loadScripts = await openWithoutScripts(page, small)
  await page.locator('#find').pressSequentially('fjord')
  loadScripts()
  await expect.poll(async () => page.locator('#suggestions').innerText()).toContain('Fjord Fitness & Spa')
})
