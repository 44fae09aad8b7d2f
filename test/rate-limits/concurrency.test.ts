import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { whileSalesUnitsWait } from '../support/locked-table.ts'

let test: TestPortal
let kari: Browser
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal()
  ;[kari, åse] = await Promise.all([test.signedIn('Kari Nordmann'), test.signedIn('Åse Bjørk')])
})
afterAll(async () => test.stop())

const slow = '/partners/12345/sales-units'

it('one user’s slow pages wait, are refused after one to five seconds, and cost neither other users nor probes', async () => {
  const began = performance.now()
  const headers = { Cookie: `portal=${kari.cookie('portal')}` }
  await whileSalesUnitsWait(test.portal.database, async () => {
    const pages = Array.from({ length: 300 }, async () => {
      const page = await fetch(test.url + slow, { headers })
      return { status: page.status, text: await page.text(), atMs: performance.now() - began }
    })
    await Promise.race(pages)
    const asked = performance.now()
    expect((await åse.open('/partners/12345/product-orders')).status).toBe(200)
    expect((await fetch(`${test.url}/readyz`)).status).toBe(200)
    expect(performance.now() - asked).toBeLessThan(1500)
    const refused = (await Promise.all(pages)).filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(250)
    expect(refused.every(({ text }) => text.startsWith('Too many requests are reaching the portal'))).toBe(true)
    // They do not come at once, and ask again at once.
    const seconds = new Set(refused.map(({ atMs }) => Math.floor(atMs / 1000)))
    expect(seconds.size).toBeGreaterThan(3)
    expect(seconds).not.toContain(0)
  })
  expect((await kari.open(slow)).status).toBe(200)
})

it('twenty pages that a user opens at once are all shown', async () => {
  const pages = await Promise.all(Array.from({ length: 20 }, async () => kari.open(slow)))
  expect(pages.map(({ status }) => status)).toEqual(pages.map(() => 200))
})

it('a second page of a user starts beside a slow one, and no third', async () => {
  const statements = async (): Promise<number | null> =>
    (
      await test.portal.database.pool.query(
        `select from pg_locks where relation = 'sales_units'::regclass and not granted`,
      )
    ).rowCount
  const ended: string[] = []
  await whileSalesUnitsWait(test.portal.database, async () => {
    const pages = ['fitness', 'kafé', 'third'].map(async (q) => {
      await kari.open(`${slow}?q=${q}`)
      ended.push(q)
    })
    await expect.poll(statements).toBe(1)
    await expect.poll(statements).toBe(2)
    expect(ended).toEqual([])
    await Promise.all(pages)
  })
  expect(ended).toEqual(['fitness', 'kafé', 'third'])
})

it('pages of a user are shown while another waits, as for the API', async () => {
  const ended: string[] = []
  const show = async (path: string): Promise<void> => {
    await kari.open(path)
    ended.push(path)
  }
  await whileSalesUnitsWait(test.portal.database, async () => {
    const waiting = show(slow)
    await show('/partners/12345/product-orders')
    await show('/partners/12345/templates')
    await waiting
  })
  expect(ended).toEqual(['/partners/12345/product-orders', '/partners/12345/templates', slow])
})

it('a statement of a page ends after two seconds, with a page in words', async () => {
  await whileSalesUnitsWait(test.portal.database, async () => {
    const page = await kari.open(`${slow}?q=fitness`)
    expect([page.status, page.$('h1').text()]).toEqual([422, 'This takes too long'])
    expect(page.words).toContain('Type more of the word')
    expect(page.$('main a.ds-button').text()).toBe('Try again')
  })
  expect(test.log()).not.toContain('"level":50')
})

it.each(['?page=401', '?page=101&size=100', '?q=a&sort=merchant&page=201&size=50'])(
  'a page behind row 10,000 is refused in words: %s',
  async (query) => {
    const page = await kari.open(slow + query)
    expect([page.status, page.$('h1').text()]).toEqual([400, 'Lists have pages up to row 10,000'])
  },
)
