import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let kari: Browser
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal()
  ;[kari, åse] = await Promise.all([test.signedIn('Kari Nordmann'), test.signedIn('Åse Bjørk')])
})
afterAll(async () => test.stop())

const slow = '/partners/12345/sales-units'

/** Holds every read of sales units until `meanwhile` has ended. */
async function whileSalesUnitsWait(meanwhile: () => Promise<void>): Promise<void> {
  const client = await test.portal.database.pool.connect()
  try {
    await client.query('begin')
    await client.query('lock table sales_units in access exclusive mode')
    await meanwhile()
  } finally {
    await client.query('rollback')
    client.release()
  }
}

it('one user’s slow pages wait for each other and neither for other users nor probes', async () => {
  let pages: Promise<Visit>[] = []
  await whileSalesUnitsWait(async () => {
    pages = Array.from({ length: 30 }, async () => kari.open(slow))
    const refused = await Promise.race(pages)
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
    expect(refused.$('h1').text()).toBe('Too many requests')
    const began = performance.now()
    expect((await åse.open('/partners/12345/product-orders')).status).toBe(200)
    expect((await fetch(`${test.url}/readyz`)).status).toBe(200)
    expect(performance.now() - began).toBeLessThan(1500)
  })
  const statuses = (await Promise.all(pages)).map(({ status }) => status)
  // One at work and twenty that wait; a statement that waited for two seconds is ended.
  expect(statuses.filter((status) => status === 429)).toHaveLength(9)
  expect(statuses.filter((status) => status !== 429 && status !== 422).every((status) => status === 200)).toBe(true)
  expect((await kari.open(slow)).status).toBe(200)
})

it('a second page of a user starts beside a slow one, and no third', async () => {
  const waiting = async (): Promise<number | null> =>
    (
      await test.portal.database.pool.query(
        `select from pg_locks where relation = 'sales_units'::regclass and not granted`,
      )
    ).rowCount
  let pages: Promise<Visit>[] = []
  await whileSalesUnitsWait(async () => {
    pages = ['fitness', 'kafé'].map(async (q) => kari.open(`${slow}?q=${q}`))
    await expect.poll(waiting).toBe(1)
    await expect.poll(waiting).toBe(2)
    pages.push(kari.open('/partners/12345/product-orders'))
    expect(await Promise.race(pages.map(async (page) => (await page).status))).toBe(422)
  })
  expect((await Promise.all(pages)).map(({ status }) => status)).toEqual([422, expect.any(Number), 200])
})

it('a statement of a page ends after two seconds, with a page in words', async () => {
  await whileSalesUnitsWait(async () => {
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
