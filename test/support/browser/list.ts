import type { Locator, Page } from 'playwright-core'

/** Two lists of sales units: 12 rows with awkward names, and 60 rows on pages of 25. */
export const [small, large] = ['/partners/12345/sales-units', '/partners/23456/sales-units'] as const

/** The text field of the list's filter. */
export function filterOf(page: Page): Locator {
  return page.locator('#q')
}

/** Clicks what leads to another page, and waits until that has loaded. */
export async function follow(place: Locator): Promise<void> {
  await Promise.all([place.page().waitForEvent('load'), place.click()])
}

/** The texts of the first column, from top to bottom. */
export async function namesOn(page: Page): Promise<string[]> {
  return page.locator('main tbody .row-link').allInnerTexts()
}

/** Sets a filter of the list: opens its menu, chooses an option there, and closes it, which takes JavaScript. */
export async function choose(page: Page, filter: string, option: string): Promise<void> {
  const menu = page.locator('.filters details', { has: page.locator('summary', { hasText: filter }) })
  if ((await menu.getAttribute('open')) === null) await menu.locator('summary').click()
  await menu.getByLabel(option, { exact: true }).check()
  await page.keyboard.press('Escape')
}

/** The summary above the rows, such as "12 sales units". */
export async function summaryOn(page: Page): Promise<string> {
  return page.locator('#found').innerText()
}

/** Path and query of the current URL. */
export function addressOf(page: Page): string {
  const { pathname, search } = new URL(page.url())
  return pathname + search
}

/** The element with the focus; no element when the focus is on the body. */
export function focusedOn(page: Page): Locator {
  return page.locator('body :focus')
}

/** Waits until the page has processed a response, for tests that expect no change. */
export async function settled(page: Page): Promise<void> {
  return page.evaluate('new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 50))')
}

type Held = {
  /** Resolves when the browser has sent the request. */
  readonly asked: Promise<unknown>
  /** Releases the responses without waiting. */
  readonly startRelease: () => void
  /** Releases the responses and waits until the page has processed them. */
  readonly release: () => Promise<void>
}

/** Holds back the responses to this path and query until they are released. */
export async function holdBack(page: Page, address: string): Promise<Held> {
  const isAsked = ({ pathname, search }: URL) => pathname + search === address
  const [held, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await page.route(isAsked, async (route) => {
    const response = await route.fetch()
    await held.promise
    await route.fulfill({ response })
    done.resolve()
  })
  return {
    asked: page.waitForRequest((request) => isAsked(new URL(request.url()))),
    startRelease: held.resolve,
    release: async () => {
      held.resolve()
      await done.promise
      await settled(page)
    },
  }
}
