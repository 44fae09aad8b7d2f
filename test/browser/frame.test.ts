import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { stage } from '../support/browser/fixture.ts'

const { signedIn, nobody } = stage()

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

async function sticksOut(page: Page): Promise<string[]> {
  return page.evaluate<string[]>('inPage.sticksOut()')
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
  it('no main page is scrolled sideways, with whatever the bar has opened', async () => {
    const first = await nobody({ viewport })
    await first.page.goto('/')
    expect(await sticksOut(first.page)).toEqual([])
    const { page } = await signedIn('Kari Nordmann', { viewport })
    for (const path of mainPages) {
      await page.goto(path)
      expect([path, await sticksOut(page)]).toEqual([path, []])
      await page.locator('.theme-menu:not(.languages) summary').click()
      expect([path, 'opened', await sticksOut(page)]).toEqual([path, 'opened', []])
      const { x = -1 } = (await page.getByRole('button', { name: 'Dark' }).boundingBox()) ?? {}
      expect(x).toBeGreaterThanOrEqual(0)
    }
  })
})

it('at 4K the page is no wider than one can read, and its letters are larger', async () => {
  const { page } = await signedIn('Kari Nordmann', { viewport: { width: 3840, height: 2160 } })
  await page.goto('/partners/12345/sales-units')
  const size = Number.parseFloat(await styleAt(page, 'html', 'font-size'))
  const { width = 0 } = (await page.locator('main').boundingBox()) ?? {}
  expect(size).toBe(24)
  expect(width / size).toBeLessThanOrEqual(90)
})

describe('light and dark', () => {
  const groundOf = async (page: Page) => styleAt(page, 'body', 'background-color')
  const [light, dark] = ['rgb(243, 243, 244)', 'rgb(30, 32, 34)']

  it('are chosen in the bar, whatever the computer likes; paper stays light', async () => {
    const { page } = await signedIn('Kari Nordmann', { colorScheme: 'light' })
    await page.goto('/profile')
    expect(await groundOf(page)).toBe(light)
    await page.getByText('Appearance', { exact: true }).click()
    await page.getByRole('button', { name: 'Dark' }).click()
    await expect.poll(async () => groundOf(page)).toBe(dark)
    await page.emulateMedia({ media: 'print' })
    expect(await styleAt(page, 'body', 'color')).toBe('rgb(41, 44, 48)')
    expect(await styleAt(page, 'html', 'color-scheme')).toBe('light')
  })

  it('can be chosen without JavaScript', async () => {
    const { page, watched } = await signedIn('Kari Nordmann', {
      colorScheme: 'dark',
      javaScriptEnabled: false,
    })
    // What is loaded ahead is not loaded then.
    watched.expect(/\.js: csp$/)
    await page.goto('/profile')
    await page.getByText('Appearance', { exact: true }).click()
    await page.getByRole('button', { name: 'Light' }).click()
    await expect.poll(async () => page.locator('html').getAttribute('data-color-scheme')).toBe('light')
  })

  it('follow the computer otherwise', async () => {
    const { page } = await nobody({ colorScheme: 'dark' })
    await page.goto('/')
    expect(await groundOf(page)).toBe(dark)
    await page.emulateMedia({ colorScheme: 'light' })
    expect(await groundOf(page)).toBe(light)
  })
})

it('colours of the user’s own leave a line around what a ground showed, and around what is reached', async () => {
  const { page } = await signedIn('Kari Nordmann', {
    forcedColors: 'active',
    viewport: { width: 320, height: 640 },
  })
  await page.goto('/partners/12345/sales-units')
  expect(await styleAt(page, '.menu a[aria-current]', 'outline-style')).toBe('solid')
  for (const selector of ['main .ds-tag', 'main .ds-button', '.theme-menu .ds-button'])
    expect([selector, await styleAt(page, selector, 'border-top-style')]).toEqual([selector, 'solid'])
  await page.locator('.menu a').first().focus()
  await page.keyboard.press('Tab')
  expect(await styleAt(page, '.menu a:focus-visible', 'outline-width')).toBe('3px')
  // The arrows of headings are grounds with a mask: they would be as the page is.
  const arrow = await styleAt(page, '.ds-table [aria-sort] button', 'background-color', '::after')
  expect(arrow).not.toBe(await styleAt(page, 'body', 'background-color'))
})

it('nothing moves for who wants it so', async () => {
  const { page } = await signedIn('Kari Nordmann', {
    reducedMotion: 'reduce',
    viewport: { width: 320, height: 640 },
  })
  for (const path of mainPages) {
    await page.goto(path)
    // As while a list is on its way
    await page.evaluate(`document.querySelector('#filter')?.classList.add('htmx-request')`)
    expect([path, await page.evaluate<string[]>('inPage.moving()')]).toEqual([path, []])
  }
  await page.goto('/partners/12345/sales-units')
  expect(await styleAt(page, '.ds-details', 'transition-duration', '::details-content')).toBe('0.001s')
})

it('on paper there is what the page says, and nothing to press', async () => {
  const { page } = await signedIn('Kari Nordmann')
  for (const path of ['/partners/12345/sales-units', '/profile']) {
    await page.goto(path)
    await page.emulateMedia({ media: 'print' })
    for (const selector of ['.bar', '.side', 'main form', '.copy'])
      expect([path, selector, await visible(page, selector)]).toEqual([path, selector, false])
    expect(await visible(page, 'h1')).toBe(true)
    await page.emulateMedia({ media: 'screen' })
  }
})
