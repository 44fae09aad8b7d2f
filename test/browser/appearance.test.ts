import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { addressOf, filterOf, summaryOn, small } from '../support/browser/list.ts'
import { browserFixture } from '../support/browser/fixture.ts'

const { signedIn } = browserFixture(() => ({ world: createDemoWorld({ salesUnits: 1 }) }))

async function styleAt(page: Page, selector: string, property: string, pseudo = ''): Promise<string> {
  return page.evaluate<string>(`inPage.styleAt(${JSON.stringify(selector)}, '${property}', '${pseudo}')`)
}

async function chooseAppearance(page: Page, name: string): Promise<void> {
  await page.locator('.account-button').click()
  await page.getByRole('button', { name, exact: true }).click()
}

it('a chosen appearance applies to every page and after a reload, until it is automatic again', async () => {
  const { page, context } = await signedIn('Kari Nordmann', { colorScheme: 'dark' })
  const isDark = async (at: Page) => /^rgb\((\d\d?), /.test(await styleAt(at, 'body', 'background-color'))
  await page.goto(small)
  expect(await isDark(page)).toBe(true)
  await filterOf(page).fill('fjord')
  await expect.poll(async () => summaryOn(page)).toBe('2 of 12 sales units match “fjord”')
  await chooseAppearance(page, 'Light')
  await expect.poll(async () => isDark(page)).toBe(false)
  // Changing the appearance keeps the filter.
  expect([addressOf(page), await filterOf(page).inputValue()]).toEqual([`${small}?q=fjord`, 'fjord'])
  await page.reload()
  expect(await isDark(page)).toBe(false)
  const other = await context.newPage()
  await other.goto('/profile')
  expect(await isDark(other)).toBe(false)
  await chooseAppearance(other, 'Automatic')
  await expect.poll(async () => isDark(other)).toBe(true)
})

describe('on a phone', () => {
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }

  it('menu and top bar can be tapped', async () => {
    const { page } = await signedIn('Kari Nordmann', phone)
    await page.goto('/partners/12345')
    for (const name of ['Product orders', 'Price packages', 'Webhooks', 'Sales units']) {
      await page.getByRole('button', { name: 'Menu' }).tap()
      await page.locator('.menu').getByRole('link', { name }).tap()
      await expect.poll(async () => page.locator('h1').innerText()).toBe(name)
    }
    await page.locator('header').getByRole('link', { name: 'Search Nordlys Platform AS' }).tap()
    await page.getByRole('main').getByRole('searchbox').fill('bergen')
    await page.keyboard.press('Enter')
    await page.getByRole('main').getByRole('link', { name: 'Bergen Fitness Sentrum' }).tap()
    await expect.poll(async () => page.locator('h1').innerText()).toBe('Bergen Fitness Sentrum')
  })

  it('rows are shown as cards with nothing cut off, the first of them above 500 px', async () => {
    const { page } = await signedIn('Kari Nordmann', phone)
    for (const path of [
      small,
      '/partners/12345/product-orders',
      '/partners/12345/price-packages',
      '/partners/12345/templates',
      '/partners/12345/developers/webhooks',
      '/partners/12345/merchants',
      '/partners/12345/activity',
    ]) {
      await page.goto(path)
      expect([path, await page.evaluate<string[]>('inPage.cellFaults()')]).toEqual([path, []])
      const { y = Infinity } = (await page.locator('main :is(tbody tr, .entry)').first().boundingBox()) ?? {}
      expect([path, y < 500]).toEqual([path, true])
    }
  })
})

describe('in print', () => {
  const pagesOf = async (page: Page): Promise<number | undefined> => {
    const pdf = (await page.pdf({ format: 'A4' })).toString('latin1')
    return pdf.match(/\/Type \/Page\b/g)?.length
  }

  it('a sales unit is at most two A4 pages, with all its facts and its history, and no controls', async () => {
    const { page } = await signedIn('Kari Nordmann')
    for (const msn of ['230001', '123456', '20481235']) {
      await page.goto(`${small}/${msn}`)
      const facts = page.locator('.facts > div')
      const all = await facts.count()
      expect([1, 2]).toContain(await pagesOf(page))
      await page.emulateMedia({ media: 'print' })
      expect([msn, await facts.filter({ visible: true }).count()]).toEqual([msn, all])
      const rest = page.locator(':is(nav, header, aside, form, button, summary, input, select):visible')
      expect([msn, await rest.count()]).toEqual([msn, 0])
      await page.emulateMedia({ media: null })
    }
  })

  it('no page has controls, not even those of its content, and nothing is cut off', async () => {
    const { page } = await signedIn('Kari Nordmann', { viewport: { width: 680, height: 1009 } })
    const partner = '/partners/12345'
    for (const path of [
      partner,
      `${small}?q=zz`,
      `${partner}/product-orders`,
      `${partner}/templates`,
      `${partner}/price-packages`,
      `${partner}/developers/webhooks`,
      `${partner}/activity`,
      `${partner}/merchants`,
      `${partner}/merchants/business:NO:ORG/311900456`,
      `${partner}/why?q=123456`,
      '/profile',
      '/select?all',
    ]) {
      await page.goto(path)
      await page.emulateMedia({ media: 'print' })
      // What is left of a control is a heading that sorts, and a template's link, both as text.
      const controls = page.locator(
        'main :is(form, input, select, button, .ds-button):not(thead *, a.ds-button[href^=http]):visible',
      )
      expect([path, await controls.count()]).toEqual([path, 0])
      expect([path, await page.evaluate<string[]>('inPage.overflowing()')]).toEqual([path, []])
      await page.emulateMedia({ media: null })
    }
  })

  it('the heads of a list are repeated on each page, and its links can be read', async () => {
    const { page } = await signedIn('Kari Nordmann')
    await page.goto('/partners/12345/templates')
    await page.emulateMedia({ media: 'print' })
    // Chromium leaves a button out where it repeats the heads.
    expect(await styleAt(page, 'thead [aria-sort] button', 'display')).toBe('contents')
    expect(await styleAt(page, '.row-actions a', 'content', '::after')).toMatch(/^"https:\/\//)
  })

  it('a list is a table on narrow paper too', async () => {
    const { page } = await signedIn('Kari Nordmann')
    await page.goto(small)
    expect(await pagesOf(page)).toBe(1)
    await page.setViewportSize({ width: 680, height: 1009 })
    await page.emulateMedia({ media: 'print' })
    const tops = await page
      .locator('main tbody tr:first-child td')
      // A narrow table shows some cells below the name instead.
      .evaluateAll((cells) =>
        cells.filter((cell) => cell.getClientRects().length > 0).map((cell) => cell.getBoundingClientRect().top),
      )
    expect(new Set(tops).size).toBe(1)
    expect(await page.evaluate<string[]>('inPage.overflowing()')).toEqual([])
  })
})

it('with forced colours, borders mark the current item and the controls', async () => {
  const { page } = await signedIn('Kari Nordmann', { forcedColors: 'active' })
  await page.goto('/partners/12345/product-orders?status=REJECTED&product=LOGIN')
  const background = await styleAt(page, 'body', 'background-color')
  const borderBelow = async (tab: string) => styleAt(page, `.status-tabs ${tab}`, 'border-bottom-color')
  expect(await borderBelow('a[aria-current]')).not.toBe(background)
  expect(await borderBelow('a:not([aria-current])')).toBe(background)
  await page.locator('.account-button').click()
  expect(await styleAt(page, '.segments [aria-pressed=true]', 'outline-style')).toBe('solid')
  expect(await styleAt(page, '.segments [aria-pressed=false]', 'outline-style')).toBe('none')
  await page.keyboard.press('Escape')
  expect(await page.locator('.ds-button:visible').count()).toBeGreaterThan(3)
  expect(await page.evaluate<string[]>('inPage.withoutBorder()')).toEqual([])
})

it.each([
  ['animates opening and loading', 'no-preference', 100, 500],
  ['does not animate with prefers-reduced-motion', 'reduce', 0, 1],
] as const)('the portal %s', async (_what, reducedMotion, least, most) => {
  const { page } = await signedIn('Kari Nordmann', { reducedMotion })
  await page.goto(small)
  await page.evaluate('inPage.recordAnimations()')
  await page.locator('.faq summary').click()
  await page.locator('summary', { hasText: 'Features' }).click()
  await page.keyboard.press('Escape')
  await page.keyboard.press('?')
  await page.keyboard.press('Escape')
  await filterOf(page).fill('fjord')
  await expect.poll(async () => summaryOn(page)).toBe('2 of 12 sales units match “fjord”')
  const longest = await page.evaluate<number>('longestAnimation')
  expect(longest).toBeGreaterThanOrEqual(least)
  expect(longest).toBeLessThanOrEqual(most)
})
