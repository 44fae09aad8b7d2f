import { text } from 'node:stream/consumers'
import type { Locator, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { addressOf, choose, filterOf, follow, large, namesOn, summaryOn, small } from '../support/browser/list.ts'
import { browserFixture } from '../support/browser/fixture.ts'
import { wordsOn } from '../support/browser/watch.ts'

const { signedIn } = browserFixture()

async function open(path: string): Promise<Page> {
  const { page, watched } = await signedIn('Åse Bjørk', { javaScriptEnabled: false })
  // Without JavaScript Chromium reports the modulepreload links as blocked.
  watched.expect(/\.js: csp$/)
  await page.goto(path)
  return page
}

const fjord = ['Fjord Fitness & Spa', 'Fjord Fitness & Spa innlogging']

function summary(page: Page, words: string): Locator {
  return page.locator('summary', { hasText: words })
}

describe('without JavaScript a list', () => {
  it('is filtered with its button, and each chip removes a filter', async () => {
    const page = await open(small)
    const all = await namesOn(page)
    await filterOf(page).fill('fjord')
    await choose(page, 'Market', 'Norway')
    await choose(page, 'Features', 'Payments')
    await follow(page.locator('.tools > .apply'))
    expect(await namesOn(page)).toEqual(fjord.slice(0, 1))
    expect(await summaryOn(page)).toBe('1 of 12 sales units matches “fjord”')
    expect(await page.locator('main mark').allInnerTexts()).toContain('Fjord')
    await follow(page.getByRole('link', { name: 'Remove filter: Features: Payments' }))
    expect(await namesOn(page)).toEqual(fjord)
    expect([await filterOf(page).inputValue(), await page.locator('input[name=market]:checked').inputValue()]).toEqual([
      'fjord',
      'NO',
    ])
    await follow(page.getByRole('link', { name: 'Clear all' }))
    expect([addressOf(page), await namesOn(page)]).toEqual([small, all])
  })

  it('without a match links to the whole list', async () => {
    const page = await open(`${small}?q=zz`)
    expect(await wordsOn(page)).toContain('No sales unit matches “zz”')
    await follow(page.getByRole('link', { name: 'Clear search and filters' }))
    expect(await summaryOn(page)).toBe('12 sales units')
  })

  it('is sorted, paged and resized, and keeps its filter', async () => {
    const page = await open(`${large}?q=4`)
    await follow(page.getByRole('button', { name: 'MSN' }))
    await follow(page.getByRole('button', { name: 'MSN' }))
    expect(await page.locator('th', { hasText: 'MSN' }).getAttribute('aria-sort')).toBe('descending')
    const first = await namesOn(page)
    await follow(page.getByRole('link', { name: 'Next' }))
    expect(new URL(page.url()).searchParams.get('page')).toBe('2')
    const second = await namesOn(page)
    await follow(page.getByRole('link', { name: 'Previous' }))
    expect(await namesOn(page)).toEqual(first)
    await page.locator('#size').selectOption('50 per page')
    await follow(page.locator('.pages .apply'))
    expect((await namesOn(page)).slice(0, 50)).toEqual([...first, ...second])
    expect(await filterOf(page).inputValue()).toBe('4')
    await filterOf(page).fill('40')
    await follow(page.locator('.tools > .apply'))
    const { searchParams } = new URL(page.url())
    expect(['q', 'sort'].map((name) => searchParams.get(name))).toEqual(['40', '-msn'])
    expect(await page.locator('#size option:checked').innerText()).toBe('50 per page')
  })

  it('has tabs with the rows of one status', async () => {
    const page = await open('/partners/12345/product-orders')
    const tab = page.locator('.status-tabs').getByRole('link', { name: 'Rejected' })
    const [count] = /\d+/.exec(await tab.innerText()) ?? []
    await follow(tab)
    expect(await tab.getAttribute('aria-current')).toBe('true')
    const states = await page.locator('main tbody td[data-label="Status"]').allInnerTexts()
    expect(states).toEqual(Array.from({ length: Number(count) }, () => 'Rejected'))
  })

  it('is downloaded with its filter', async () => {
    const page = await open(`${small}?q=fjord`)
    await summary(page, 'Download').click()
    const [csv] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'CSV 2 rows, as filtered' }).click(),
    ])
    const [headings, ...rows] = (await text(await csv.createReadStream())).trim().split('\r\n')
    expect(csv.suggestedFilename()).toMatch(/^Nordlys Platform AS – Sales units – fjord – .*\.csv$/)
    expect(headings).toMatch(/"Name","MSN","Merchant",/)
    expect(rows.map((row) => row.split(',')[0])).toEqual(fjord.map((name) => `"${name}"`))
    const [excel] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Excel' }).click(),
    ])
    expect(excel.suggestedFilename()).toMatch(/\.xlsx$/)
    expect(addressOf(page)).toBe(`${small}?q=fjord`)
  })
})

describe('without JavaScript the top bar', () => {
  it('searches, and links to the rows found', async () => {
    const page = await open('/partners/12345')
    await page.getByRole('searchbox', { name: 'Search Nordlys Platform AS' }).first().fill('bergen')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/search?q=bergen')
    expect(await page.locator('h1').innerText()).toBe('Results for “bergen”')
    await follow(page.getByRole('main').getByRole('link', { name: 'Bergen Fitness Sentrum' }))
    expect(await page.locator('h1').innerText()).toBe('Bergen Fitness Sentrum')
  })

  it('changes language and appearance, and returns to the filtered list', async () => {
    const page = await open(`${small}?q=fjord`)
    await page.locator('.account-button').click()
    await summary(page, 'Language').click()
    await follow(page.getByRole('link', { name: 'Norsk' }))
    expect(await page.locator('html').getAttribute('lang')).toBe('nb')
    expect(await namesOn(page)).toEqual(fjord)
    await page.locator('.account-button').click()
    await follow(page.getByRole('button', { name: 'Mørkt' }))
    expect(await page.locator('html').getAttribute('data-color-scheme')).toBe('dark')
    expect([addressOf(page), await namesOn(page)]).toEqual([`${small}?q=fjord`, fjord])
  })

  it('switches to another business', async () => {
    const page = await open(small)
    await page.locator('.switch').click()
    await follow(page.getByRole('link', { name: 'See all businesses' }))
    await follow(page.getByRole('main').getByRole('link', { name: /Fjordkasse/ }))
    expect([addressOf(page), await page.locator('.side strong').first().innerText()]).toEqual([
      '/partners/23456',
      'Fjordkasse & Sønner POS AS',
    ])
  })
})

it('without JavaScript no control is shown that needs it', async () => {
  const page = await open(small)
  for (const path of [small, `${small}/150666`, '/profile']) {
    await page.goto(path)
    expect([path, await page.locator('button:not([type=submit])').count()]).not.toEqual([path, 0])
    const scripted = page.locator('button:not([type=submit], [popovertarget]):visible')
    expect([path, await scripted.count()]).toEqual([path, 0])
    expect(await page.locator('.session-timeout:visible, dialog:visible').count()).toBe(0)
  }
})
