import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { launchChromium } from '../test/support/chromium.ts'
import { createQueries } from './filter.ts'
import { startPortal } from './fixture.ts'
import { type LargeFixture, sessionCookie } from './large-fixture.ts'
import { atMost, median, quantile } from './report.ts'
import { largeId } from './world.ts'

const debounceMs = 150

/** Measures Chromium from a key in the filter to the frame with its rows, and from a click to the next page. */
export async function measureKeystroke(fixture: LargeFixture): Promise<void> {
  const portal = await startPortal(fixture)
  const browser = await launchChromium()
  try {
    const context = await browser.newContext()
    await context.addCookies([sessionCookie(fixture)])
    await context.addInitScript({ path: join(import.meta.dirname, 'in-page.js') })
    const page = await context.newPage()
    await page.goto(`${fixture.url}/partners/${largeId}/sales-units`)
    const texts = createQueries(fixture.world).filter(({ q }) => /^[\p{L}\d]{3,8}$/u.test(q))
    const keys: number[] = []
    for (const { q } of texts.slice(0, 25)) keys.push(...(await type(page, q)))
    tellTimes(`key to list, without the ${debounceMs} ms that it waits, ${keys.length} keys`, keys, 80)
    const clicks: number[] = []
    for (let row = 0; row < 25; row += 1) {
      for (const link of [page.locator('main .row-link').nth(row), page.locator('.menu a[href$="/sales-units"]')]) {
        await Promise.all([page.waitForEvent('domcontentloaded'), link.click()])
        clicks.push(await page.evaluate<number>('timeOfPage()'))
      }
    }
    tellTimes(`click to page, ${clicks.length} clicks`, clicks, 150)
  } finally {
    await browser.close()
    await portal.stop()
  }
}

/** Types a text letter by letter into the empty filter. @returns the time of each key */
async function type(page: Page, q: string): Promise<number[]> {
  await page.fill('#q', '')
  await page.waitForURL((at) => !at.search.includes('q='))
  await page.locator('#results:not([aria-busy])').waitFor()
  const times: number[] = []
  for (const letter of q) {
    await page.evaluate('timeNextKey()')
    await page.locator('#q').pressSequentially(letter)
    times.push((await page.evaluate<number>('updated')) - debounceMs)
  }
  return times
}

function tellTimes(what: string, times: readonly number[], limit: number): void {
  atMost(`${what}: p50`, median(times), limit, ' ms')
  atMost(`${what}: p95`, quantile(times, 0.95), limit, ' ms', `most ${Math.max(...times).toFixed(0)} ms`)
}
