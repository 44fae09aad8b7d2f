import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { type BrowserFixture, browserFixture } from '../support/browser/fixture.ts'

const { signedIn, portal } = browserFixture()
const list = '/partners/12345/sales-units'
const words = /There is no connection to the portal\. You see what was loaded earlier/

function notice(page: Page) {
  return page.locator('[data-offline]')
}

/** Expects the console errors about requests without a network, which these tests cause. */
function expectOffline({ watched }: Awaited<ReturnType<BrowserFixture['signedIn']>>): void {
  watched.expect(/ERR_INTERNET_DISCONNECTED|Failed to fetch|ERR_CONNECTION_(REFUSED|RESET)|ERR_FAILED/)
}

it('the offline notice appears below the top bar, keeps the page, and disappears by itself', async () => {
  const visitor = await signedIn('Kari Nordmann')
  const { page, context } = visitor
  expectOffline(visitor)
  await page.goto(list)
  const rows = await page.locator('main tbody tr').count()
  expect(await notice(page).getAttribute('role')).toBe('status')
  expect(await notice(page).innerText()).toBe('')
  await context.setOffline(true)
  await expect.poll(async () => notice(page).innerText()).toMatch(words)
  const [bar, said, main] = await Promise.all(
    [page.locator('.bar'), notice(page), page.locator('main')].map(async (part) => part.boundingBox()),
  )
  expect(said?.y).toBeCloseTo(Number(bar?.y) + Number(bar?.height), 0)
  expect(main?.y).toBeGreaterThanOrEqual(Number(said?.y) + Number(said?.height) - 1)
  expect(await page.locator('main tbody tr').count()).toBe(rows)
  await context.setOffline(false)
  await expect.poll(async () => notice(page).innerText()).toBe('')
})

it('the offline notice stays visible while scrolling and does not overflow', async () => {
  const visitor = await signedIn('Kari Nordmann', { viewport: { width: 320, height: 500 } })
  const { page, context } = visitor
  expectOffline(visitor)
  await page.goto(list)
  await context.setOffline(true)
  await expect.poll(async () => notice(page).innerText()).toMatch(words)
  await page.evaluate('scrollTo(0, document.body.scrollHeight)')
  const { y = 0, height = 0 } = (await page.locator('.bar').boundingBox()) ?? {}
  expect(y).toBe(0)
  await expect.poll(async () => (await notice(page).boundingBox())?.y).toBe(height)
  expect(await page.evaluate<string[]>('inPage.overflowing()')).toEqual([])
})

it('the offline notice is in the language of the page', async () => {
  const visitor = await signedIn('Kari Nordmann')
  const { page, context } = visitor
  expectOffline(visitor)
  await page.goto('/language/nb?returnTo=/profile')
  await context.setOffline(true)
  await expect.poll(async () => notice(page).innerText()).toMatch(/^Ingen forbindelse til portalen\./)
})

it('the offline notice appears when a filter request fails, until the portal answers again', async () => {
  const visitor = await signedIn('Kari Nordmann')
  const { page } = visitor
  expectOffline(visitor)
  await page.goto(list)
  await page.route(`${portal().url}/**`, async (route) => route.abort('connectionrefused'))
  await page.locator('#q').fill('fit')
  await expect.poll(async () => notice(page).innerText()).toMatch(words)
  expect(await page.locator('#q').inputValue()).toBe('fit')
  await page.unroute(`${portal().url}/**`)
  await expect.poll(async () => notice(page).innerText(), { timeout: 15_000 }).toBe('')
})

it('the offline notice does not appear for requests aborted by fast typing', async () => {
  const { page } = await signedIn('Kari Nordmann')
  await page.goto(list)
  await page.evaluate(`{
    globalThis.seen = []
    const place = document.querySelector('[data-offline]')
    new MutationObserver(() => seen.push(place.textContent)).observe(place, { childList: true })
  }`)
  await page.route('**/sales-units?**', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 300))
    await route.continue()
  })
  await page.locator('#q').pressSequentially('fitness', { delay: 200 })
  await page.waitForURL('**/sales-units?q=fitness')
  expect(await page.evaluate<string[]>('seen')).toEqual([])
})
