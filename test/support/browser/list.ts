import type { Locator, Page } from 'playwright-core'

/** Lists of sales units: one with a row for every awkward name, and one of 60 rows, of which a page shows 25. */
export const [small, large] = ['/partners/12345/sales-units', '/partners/23456/sales-units'] as const

/** Where one types what the list is filtered by. */
export function filterOf(page: Page): Locator {
  return page.locator('#q')
}

/** The words of the first column, from top to bottom. */
export async function namesOn(page: Page): Promise<string[]> {
  return page.locator('main tbody td:first-child').allInnerTexts()
}

/** What the list says of itself, above its rows. */
export async function saidOn(page: Page): Promise<string> {
  return page.locator('#found').innerText()
}

/** Path and query of the address, as they would be sent to somebody. */
export function addressOf(page: Page): string {
  const { pathname, search } = new URL(page.url())
  return pathname + search
}

/** What has the focus; nothing when it has been lost. */
export function focusedOn(page: Page): Locator {
  return page.locator('body :focus')
}

/** Waits until the page has done what it does with an answer that has just come, for when that should be nothing. */
export async function settled(page: Page): Promise<void> {
  return page.evaluate('new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 50))')
}

type Held = {
  /** Until they have been asked for. */
  readonly asked: Promise<unknown>
  /** Lets them go. */
  readonly begin: () => void
  /** Lets them go, and waits until the page has dealt with them. */
  readonly letGo: () => Promise<void>
}

/** Keeps the answers to this path and query back until they are let go. */
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
    begin: held.resolve,
    letGo: async () => {
      held.resolve()
      await done.promise
      await settled(page)
    },
  }
}
