import type { Locator, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { addressOf, filterOf, focusedOn, large, namesOn, summaryOn, small } from '../support/browser/list.ts'
import { browserFixture } from '../support/browser/fixture.ts'

const { signedIn } = browserFixture()

async function open(path: string): Promise<Page> {
  const { page } = await signedIn('Åse Bjørk')
  await page.goto(path)
  return page
}

async function hasFocus(place: Locator): Promise<boolean> {
  return place.evaluate((element) => element === element.ownerDocument.activeElement)
}

/** Presses Tab until this element has the focus. */
async function goTo(page: Page, place: Locator): Promise<void> {
  for (let presses = 0; presses < 120; presses += 1) {
    if (await hasFocus(place)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not lead to ${String(place)}`)
}

it('the first Tab stop is the skip link to the content', async () => {
  const page = await open(small)
  await page.keyboard.press('Tab')
  expect(await focusedOn(page).innerText()).toBe('Skip to content')
  expect(await focusedOn(page).boundingBox()).toMatchObject({ x: 0, y: 0 })
  expect(await page.evaluate('scrollY')).toBe(0)
  await page.keyboard.press('Enter')
  expect(await focusedOn(page).getAttribute('id')).toBe('main')
  await page.keyboard.press('Tab')
  expect(await page.locator('main :focus').count()).toBe(1)
})

it('every Tab stop is visible and shows its focus', async () => {
  const page = await open('/profile')
  const faults: string[] = []
  let stops = 0
  for (const path of [
    `${small}?market=NO&q=fitness`,
    `${small}/150666`,
    '/partners/12345/product-orders?q=311900456',
    '/partners/12345',
    '/profile',
  ]) {
    await page.goto(path)
    for (;;) {
      await page.keyboard.press('Tab')
      const found = await page.evaluate<string[] | null>('inPage.focusFaults()')
      if (!found) break
      faults.push(...found.map((fault) => `${path}: ${fault}`))
      stops += 1
    }
  }
  // Fewer would mean that the test itself is broken.
  expect(stops).toBeGreaterThan(120)
  expect(faults).toEqual([])
})

describe('the shortcuts', () => {
  it('/ moves to the filter or to the search, and is an ordinary character inside them', async () => {
    const page = await open(`${small}?q=fjord`)
    await page.keyboard.press('/')
    expect(await hasFocus(filterOf(page))).toBe(true)
    await page.keyboard.type('oslo/?')
    await expect.poll(() => addressOf(page)).toBe(`${small}?q=oslo%2F%3F`)
    expect(await page.getByRole('dialog').isVisible()).toBe(false)

    await page.goto(`${small}/150666`)
    await page.keyboard.press('/')
    await page.keyboard.type('123789')
    await page.keyboard.press('Enter')
    await page.waitForURL(`**${small}/123789`)
  })

  it('? shows the shortcuts, and Escape returns to the previous focus', async () => {
    const page = await open(small)
    const row = page.locator('#results').getByRole('link', { name: 'Bergen Fitness Sentrum' })
    await goTo(page, row)
    await page.keyboard.press('?')
    const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    expect(await dialog.isVisible()).toBe(true)
    expect(await dialog.locator(':focus').count()).toBe(1)
    for (const what of ['Go to the filter', 'Move between rows', 'Show these shortcuts'])
      expect(await dialog.innerText()).toContain(what)
    await page.keyboard.press('Escape')
    expect([await dialog.isVisible(), await hasFocus(row)]).toEqual([false, true])

    await page.locator('.account-button').press('Enter')
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).press('Enter')
    expect(await dialog.isVisible()).toBe(true)
    await page.keyboard.press('Escape')
    expect(await dialog.isVisible()).toBe(false)
  })

  it('can be switched off permanently', async () => {
    const page = await open(small)
    await page.keyboard.press('?')
    await goTo(page, page.getByLabel('Turn on the / and ? shortcuts'))
    await page.keyboard.press('Space')
    await page.keyboard.press('Escape')
    await page.reload()
    await page.keyboard.press('?')
    await page.keyboard.press('/')
    expect(await page.getByRole('dialog').isVisible()).toBe(false)
    expect(await focusedOn(page).count()).toBe(0)
  })
})

describe('the rows', () => {
  it('are reached with the arrow keys from the filter, and opened with Enter', async () => {
    const page = await open(small)
    const names = await namesOn(page)
    await page.keyboard.press('/')
    const walked: string[] = []
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowUp']) {
      await page.keyboard.press(key)
      walked.push(await focusedOn(page).innerText())
    }
    expect(walked).toEqual([0, 1, 2, 1].map((at) => names[at]))
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    expect(await hasFocus(filterOf(page))).toBe(true)
    for (let row = 0; row < names.length + 2; row += 1) await page.keyboard.press('ArrowDown')
    expect(await focusedOn(page).innerText()).toBe(names.at(-1))
    await page.keyboard.press('Escape')
    expect(await hasFocus(filterOf(page))).toBe(true)

    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await expect.poll(async () => page.locator('h1').innerText()).toBe(names[1])
  })

  it('are reached with the arrow keys after the list has changed', async () => {
    const page = await open(small)
    await page.keyboard.press('/')
    await page.keyboard.type('fjord')
    await expect.poll(async () => summaryOn(page)).toBe('2 of 12 sales units match “fjord”')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    expect(await focusedOn(page).innerText()).toBe('Fjord Fitness & Spa innlogging')
  })
})

describe('a menu', () => {
  it('is closed with Escape, which returns the focus to its button', async () => {
    const page = await open(small)
    for (const [button, inside] of [
      [page.locator('.account-button'), page.getByRole('button', { name: 'Dark' })],
      [page.locator('.switch'), page.getByRole('link', { name: 'See all businesses' })],
      [page.locator('summary', { hasText: 'Features' }), page.getByRole('checkbox', { name: 'Payments', exact: true })],
    ] as const) {
      await goTo(page, button)
      expect(await inside.isVisible()).toBe(false)
      await page.keyboard.press('Enter')
      expect(await inside.isVisible()).toBe(true)
      await goTo(page, inside)
      await page.keyboard.press('Escape')
      expect([await inside.isVisible(), await hasFocus(button)]).toEqual([false, true])
    }
  })

  it('of a filter applies a tick at once, stays open and keeps the focus', async () => {
    const page = await open(small)
    await goTo(page, page.locator('summary', { hasText: 'Features' }))
    await page.keyboard.press('Enter')
    const box = page.getByRole('checkbox', { name: 'Recurring payments' })
    await goTo(page, box)
    await page.keyboard.press('Space')
    await expect.poll(() => addressOf(page)).toBe(`${small}?can=recurringAllowed`)
    await expect.poll(async () => namesOn(page)).toEqual(['ACME Fantastic Fitness', 'Bergen Fitness Sentrum'])
    expect([await box.isChecked(), await hasFocus(box)]).toEqual([true, true])
  })

  it('of languages changes the language and stays on the page', async () => {
    const page = await open(`${small}?q=fjord`)
    await page.locator('.account-button').press('Enter')
    await page.locator('summary', { hasText: 'English' }).press('Enter')
    await goTo(page, page.getByRole('link', { name: 'Norsk' }))
    await page.keyboard.press('Enter')
    await expect.poll(async () => page.locator('html').getAttribute('lang')).toBe('nb')
    expect(addressOf(page)).toBe(`${small}?q=fjord`)
  })
})

describe('the focus', () => {
  it('moves to the summary when the pressed link is removed with the old list', async () => {
    const page = await open(`${large}?market=NO`)
    const press = async (place: Locator): Promise<string> => {
      const before = addressOf(page)
      await place.press('Enter')
      await expect.poll(() => addressOf(page)).not.toBe(before)
      await expect.poll(async () => page.locator('#results').getAttribute('aria-busy')).toBe(null)
      return focusedOn(page).innerText()
    }
    expect(await press(page.getByRole('button', { name: 'MSN' }))).toBe('MSN')
    expect(await press(page.getByRole('link', { name: 'Next' }))).toMatch(/^\d+ of 60 sales units$/)
    expect(await press(page.getByRole('link', { name: 'Remove filter: Market: Norway' }))).toBe('60 sales units')
    await page.keyboard.press('/')
    await page.keyboard.type('zz')
    await page.waitForURL('**q=zz**')
    expect(await press(page.getByRole('link', { name: 'Clear search and filters' }))).toBe('60 sales units')
  })
})
