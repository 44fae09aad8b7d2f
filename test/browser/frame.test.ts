import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { browserFixture } from '../support/browser/fixture.ts'

const { signedIn, signedOut } = browserFixture()

const mainPages = [
  '/select?all',
  '/profile',
  '/partners/12345',
  '/partners/12345/sales-units',
  '/partners/12345/sales-units/150666',
  '/partners/12345/product-orders',
  '/partners/12345/price-packages',
  '/partners/12345/templates',
  '/partners/12345/developers/webhooks',
]

async function overflowing(page: Page): Promise<string[]> {
  return page.evaluate<string[]>('inPage.overflowing()')
}

async function styleAt(page: Page, selector: string, property: string, pseudo = ''): Promise<string> {
  return page.evaluate<string>(`inPage.styleAt(${JSON.stringify(selector)}, '${property}', '${pseudo}')`)
}

async function visible(page: Page, selector: string): Promise<boolean> {
  return page.locator(selector).first().isVisible()
}

describe.each([
  ['320 px, as 1280 px at 400 % zoom', { width: 320, height: 256 }],
  ['a phone', { width: 390, height: 844 }],
  ['4K', { width: 3840, height: 2160 }],
])('at %s', (_what, viewport) => {
  it('no main page scrolls sideways, even with an open menu', async () => {
    const first = await signedOut({ viewport })
    await first.page.goto('/')
    expect(await overflowing(first.page)).toEqual([])
    const { page } = await signedIn('Kari Nordmann', { viewport })
    for (const path of mainPages) {
      await page.goto(path)
      expect([path, await overflowing(page)]).toEqual([path, []])
      await page.locator('.account-button').click()
      expect([path, 'opened', await overflowing(page)]).toEqual([path, 'opened', []])
      const { x = -1 } = (await page.getByRole('button', { name: 'Dark' }).boundingBox()) ?? {}
      expect(x).toBeGreaterThanOrEqual(0)
    }
  })
})

it('at 4K the page has a maximum width and larger text', async () => {
  const { page } = await signedIn('Kari Nordmann', { viewport: { width: 3840, height: 2160 } })
  await page.goto('/partners/12345/sales-units')
  const size = Number.parseFloat(await styleAt(page, 'html', 'font-size'))
  const { width = 0 } = (await page.locator('main').boundingBox()) ?? {}
  expect(size).toBe(24)
  expect(width / size).toBeLessThanOrEqual(90)
})

describe('light and dark', () => {
  const backgroundOf = async (page: Page) => styleAt(page, 'body', 'background-color')
  const [light, dark] = ['rgb(255, 255, 255)', 'rgb(23, 24, 26)']

  it('are chosen in the top bar, regardless of the system; print stays light', async () => {
    const { page } = await signedIn('Kari Nordmann', { colorScheme: 'light' })
    await page.goto('/profile')
    expect(await backgroundOf(page)).toBe(light)
    await page.locator('.account-button').click()
    await page.getByRole('button', { name: 'Dark' }).click()
    await expect.poll(async () => backgroundOf(page)).toBe(dark)
    await page.emulateMedia({ media: 'print' })
    expect(await styleAt(page, 'body', 'color')).toBe('rgb(41, 44, 48)')
    expect(await styleAt(page, 'html', 'color-scheme')).toBe('light')
  })

  it('can be chosen without JavaScript', async () => {
    const { page, watched } = await signedIn('Kari Nordmann', {
      colorScheme: 'dark',
      javaScriptEnabled: false,
    })
    // Without JavaScript Chromium reports the modulepreload links as blocked.
    watched.expect(/\.js: csp$/)
    await page.goto('/profile')
    await page.locator('.account-button').click()
    await page.getByRole('button', { name: 'Light' }).click()
    await expect.poll(async () => page.locator('html').getAttribute('data-color-scheme')).toBe('light')
  })

  it('follow the system by default', async () => {
    const { page } = await signedOut({ colorScheme: 'dark' })
    await page.goto('/')
    expect(await backgroundOf(page)).toBe(dark)
    await page.emulateMedia({ colorScheme: 'light' })
    expect(await backgroundOf(page)).toBe(light)
  })
})

it('with forced colours, borders replace backgrounds and mark the focus', async () => {
  const { page } = await signedIn('Kari Nordmann', {
    forcedColors: 'active',
    viewport: { width: 320, height: 640 },
  })
  await page.goto('/partners/12345/product-orders')
  for (const selector of ['main .status', 'main .tools > .ds-button'])
    expect([selector, await styleAt(page, selector, 'border-top-style')]).toEqual([selector, 'solid'])
  await page.setViewportSize({ width: 1024, height: 640 })
  await page.goto('/partners/12345/sales-units')
  expect(await styleAt(page, '.menu a[aria-current]', 'outline-style')).toBe('solid')
  await page.locator('.menu a').first().focus()
  await page.keyboard.press('Tab')
  expect(await styleAt(page, '.menu a:focus-visible', 'outline-width')).toBe('3px')
  // The arrows of headings are masked backgrounds, which forced colours would paint like the page.
  const arrow = await styleAt(page, '.ds-table [aria-sort] button', 'background-color', '::after')
  expect(arrow).not.toBe(await styleAt(page, 'body', 'background-color'))
})

it('nothing is animated with prefers-reduced-motion', async () => {
  const { page } = await signedIn('Kari Nordmann', {
    reducedMotion: 'reduce',
    viewport: { width: 320, height: 640 },
  })
  for (const path of mainPages) {
    await page.goto(path)
    // The state while a list is loading
    await page.evaluate(`document.querySelector('#results')?.setAttribute('aria-busy', 'true')`)
    expect([path, await page.evaluate<string[]>('inPage.animated()')]).toEqual([path, []])
  }
  await page.goto('/partners/12345/sales-units')
  expect(await styleAt(page, '.ds-details', 'transition-duration', '::details-content')).toBe('0.001s')
})

it('in print the pages have their content and no controls', async () => {
  const { page } = await signedIn('Kari Nordmann')
  for (const path of ['/partners/12345/sales-units', '/profile']) {
    await page.goto(path)
    await page.emulateMedia({ media: 'print' })
    for (const selector of ['.bar', '.side', 'main .tools', '.copy', '.pages'])
      expect([path, selector, await visible(page, selector)]).toEqual([path, selector, false])
    expect(await visible(page, 'h1')).toBe(true)
    await page.emulateMedia({ media: 'screen' })
  }
})
