import type { Locator, Page } from 'playwright-core'
import { beforeAll, expect, it } from 'vitest'
import { browserFixture } from '../support/browser/fixture.ts'

const { portal, signedIn } = browserFixture()
const home = '/partners/12345'

/** Yesterday Åse was here for the first time, and two weeks ago an order was filled in; since then a shop has closed. */
beforeAll(async () => {
  const { pool } = portal().portal.database
  await pool.query(
    `update product_orders set first_seen_at = now() - interval '12 days', changed_at = now() - interval '12 days'
     where organisation = 'partner/12345' and product_order_type = 'PREFILL' and status = 'RECEIVED'`,
  )
  await pool.query(
    `insert into visits (user_id, organisation, seen_at) values ($1, 'partner/12345', now() - interval '1 day')`,
    [portal().userId('Åse Bjørk')],
  )
  const { salesUnits } = portal().world
  salesUnits.splice(
    salesUnits.findIndex(({ body }) => body.msn === '231777'),
    1,
  )
  await portal().sync()
})

/** Åse on Home, and a function that clicks; a question must be answered in three clicks. */
async function atHome(): Promise<{ page: Page; click: (place: Locator) => Promise<void>; clicks: () => number }> {
  const { page } = await signedIn('Åse Bjørk')
  await page.goto(home)
  let clicks = 0
  const click = async (place: Locator): Promise<void> => {
    clicks += 1
    await place.click()
  }
  return { page, click, clicks: () => clicks }
}

it('whom must I remind today, and with what words?', async () => {
  const { page, click, clicks } = await atHome()
  const attention = page.getByRole('region', { name: 'Needs attention' })
  await click(attention.locator('[data-notice=expiring] li a').first())
  await expect.poll(() => new URL(page.url()).pathname).toMatch(/\/product-orders\/[\w-]+$/)
  await expect.poll(async () => page.locator('main').innerText()).toMatch(/2 days left|in 2 days/)
  await click(page.getByRole('button', { name: 'Copy reminder' }))
  await expect.poll(async () => page.locator('main .actions').innerText()).toContain('Copied')
  expect(clicks()).toBeLessThanOrEqual(3)
})

it('what has changed since yesterday?', async () => {
  const { page, click, clicks } = await atHome()
  const since = page.getByRole('region', { name: 'Since your last visit' })
  await click(since.getByRole('link', { name: /no longer available/ }))
  await expect.poll(async () => page.locator('main').innerText()).toContain("Ole's Gym")
  expect(clicks()).toBeLessThanOrEqual(3)
})

it('where is the shop whose name I cannot spell, what does it cost, and which webhook does it have?', async () => {
  const { page, click, clicks } = await atHome()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('orsta cafe')
  await click(page.locator('#suggestions a', { hasText: 'Ørsta' }).first())
  await expect.poll(async () => page.locator('h1').innerText()).toContain('Ørsta')
  await expect.poll(async () => page.locator('main').innerText()).toContain('https://cafe-orsta.example/vipps')
  expect(await page.locator('main').innerText()).toMatch(/Price package\s+(Most likely|[A-Z])/)
  expect(clicks()).toBeLessThanOrEqual(3)
})
