import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { linesOf, rowsOf, twoMinutesLater } from './reading.ts'

let test: TestPortal
let liisa: Browser
beforeAll(async () => {
  test = await startTestPortal()
  liisa = await test.signedIn('Liisa Korhonen')
  // The landing page has read the lists.
  twoMinutesLater()
})
afterEach(() => {
  test.api.weather.override = null
  twoMinutesLater()
})
afterAll(async () => {
  vi.useRealTimers()
  await test.stop()
})

const base = '/partners/34567'
const identifier = { scheme: 'business:NO:ORG', id: '311900456' }
/** Stands where it must not, and must not be repeated anywhere. */
const secret = 'value-of-a-malformed-row'

/** Each list with one good row among bad ones, as the API might send it. */
const lists: [page: string, endpoint: string, purpose: string, good: object, bad: unknown[]][] = [
  [
    '/sales-units',
    '/management/v1/sales-units',
    'salesUnits',
    { msn: 123_456, name: 'The good one' },
    [{ name: secret }, { msn: secret, name: 'x' }, null, secret, 7, []],
  ],
  [
    '/product-orders',
    '/management/v2/product-orders',
    'productOrders',
    { status: 'RECEIVED', businessIdentifier: identifier, productType: 'The good one' },
    [{ status: secret }, { businessIdentifier: identifier }, { status: 5, businessIdentifier: secret }],
  ],
  [
    '/price-packages',
    '/management/v1/partners/price-packages',
    'pricePackages',
    { pricePackageId: 'a', name: 'The good one', description: '1 %' },
    [{ pricePackageId: { secret }, name: 'x', description: 'x' }],
  ],
  [
    '/templates',
    '/management/v1/product-order-templates',
    'productOrderTemplates',
    { templateId: 'a', name: 'The good one' },
    [{ templateId: 'b', name: [secret] }, { name: secret }],
  ],
  [
    '/developers/webhooks',
    '/webhooks/v1/webhooks',
    'webhooks',
    { id: 'a', url: 'https://good.example/The good one', events: null },
    [
      { id: 'b', url: null },
      { id: 'c', url: 'x', events: secret },
    ],
  ],
]

const answering = (endpoint: string, rows: unknown): void => {
  test.api.weather.override = ({ path }) =>
    path.split('?')[0] === endpoint
      ? { status: 200, body: endpoint.includes('webhooks') ? { webhooks: rows } : rows }
      : undefined
}

it.each(lists)(
  '%s skips rows that make no sense, counts them, and logs why without what',
  async (page, endpoint, purpose, good, bad) => {
    answering(endpoint, [...bad, good])
    const before = test.log().length
    const visit = await liisa.open(base + page)
    expect(visit.status).toBe(200)
    expect(rowsOf(visit)).toHaveLength(1)
    expect(visit.words).toContain('The good one')
    expect(visit.words).toContain(
      bad.length === 1
        ? 'One row from the API could not be read and is missing here.'
        : `${bad.length} rows from the API could not be read and are missing here.`,
    )
    expect(visit.text).not.toContain(secret)
    const log = test.log().slice(before)
    expect(log).not.toContain(secret)
    const line = linesOf(log).find(({ msg }) => msg === 'upstream rows skipped')
    expect(line).toMatchObject({ level: 40, purpose, organisation: 'partner/34567', skipped: bad.length })
    expect(Object.keys(line?.['reasons'] ?? {}).length).toBeGreaterThan(0)
  },
)

it.each(lists)(
  '%s says that rows are missing even where none is left',
  async (page, endpoint, _p, _g, bad) => {
    answering(endpoint, bad)
    const visit = await liisa.open(base + page)
    expect(visit.status).toBe(200)
    expect(visit.words).toContain('could not be read and')
  },
)

it.each(lists)('%s takes 204 and answers without a body for an empty list', async (page, endpoint) => {
  for (const answer of [{ status: 204 }, { status: 200, body: '' }, { status: 200, body: ' \n' }]) {
    test.api.weather.override = ({ path }) => (path.split('?')[0] === endpoint ? answer : undefined)
    const visit = await liisa.open(base + page)
    expect(visit.status).toBe(200)
    expect(visit.words).toMatch(/No .+ (yet|registered)/)
    twoMinutesLater()
  }
})

it.each(lists)('%s says that an answer which is no list cannot be read', async (page, endpoint) => {
  for (const body of ['<html>Sign in to the proxy</html>', '[{"msn":', { message: 'hello' }, '"text"']) {
    test.api.weather.override = ({ path }) =>
      path.split('?')[0] === endpoint ? { status: 200, body } : undefined
    const visit = await liisa.open(base + page)
    expect(visit.status).toBe(503)
    expect(visit.$('h1').text()).toMatch(/^We cannot read the .+ just now$/)
    expect(visit.words).not.toMatch(/proxy|JSON|hello/)
  }
})

it('a merchant’s sales units that make no sense are counted where they would stand', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  test.api.weather.override = ({ path }) =>
    path.endsWith('/sales-units') && path.includes('/merchants/')
      ? { status: 200, body: [{ msn: '123789', name: 'The good one' }, { msn: 1 }] }
      : undefined
  for (const page of ['/sales-units/123456', '/merchants/business:NO:ORG/311900456']) {
    const visit = await kari.open(`/partners/12345${page}`)
    expect(visit.words).toContain('The good one 123789')
    expect(visit.words).toContain('One row from the API could not be read')
  }
})

it('details that make no sense are a page in words', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  for (const body of [{}, [], { msn: '123456' }, '<html></html>', null, { msn: secret, name: secret }]) {
    test.api.weather.override = ({ path }) =>
      /(sales-units\/\d+|merchants\/.*\d|details)$/.test(path) ? { status: 200, body } : undefined
    const order = test.world.productOrders[0]?.body.productOrderId
    for (const [page, what] of [
      ['/sales-units/28123', 'sales unit'],
      ['/merchants/business:FI:Y-tunnus/9123456-7', 'merchant'],
      [`/product-orders/${order}`, 'product order'],
    ]) {
      const visit = await kari.open(`/partners/12345${page}`)
      expect([page, visit.status]).toEqual([page, 503])
      expect(visit.$('h1').text()).toBe(`We cannot read the ${what} just now`)
      expect(visit.text).not.toContain(secret)
    }
  }
})
