import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { linesOf, rowsOf } from '../support/page-content.ts'

let test: TestPortal
let liisa: Browser
beforeAll(async () => {
  test = await startTestPortal()
  liisa = await test.signedIn('Liisa Korhonen')
})
afterEach(() => {
  test.api.faults.override = null
})
afterAll(async () => test.stop())

const base = '/partners/34567'
const identifier = { scheme: 'business:NO:ORG', id: '311900456' }
/** The invalid value of every bad row; neither page nor log may repeat it. */
const secret = 'value-of-a-malformed-row'

/** Each list with one valid row and several invalid ones. */
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
    [{ status: secret }, { productOrderId: { secret } }, { status: 5, businessIdentifier: secret }],
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
    [{ templateId: [secret], name: 'x' }, { name: secret }],
  ],
  [
    '/developers/webhooks',
    '/webhooks/v1/webhooks',
    'webhooks',
    { id: 'a', url: 'https://good.example/The good one', events: null },
    [
      { id: null, url: secret },
      { url: 'x', events: secret },
    ],
  ],
]

/** Sets the answer of every list and syncs. */
async function readAs(answerOf: (list: (typeof lists)[number]) => unknown, status = 200): Promise<void> {
  test.api.faults.override = ({ path, msn }) => {
    if (path.endsWith('/sales-units/123456'))
      return { status: 200, body: { msn: '123456', name: 'The good one', businessIdentifier: identifier } }
    const list = msn === undefined && lists.find(([, endpoint]) => path.split('?')[0] === endpoint)
    if (!list) return undefined
    const body = answerOf(list)
    return { status, body: Array.isArray(body) && list[2] === 'webhooks' ? { webhooks: body } : body }
  }
  await test.sync()
}

const failing = /has not been responding correctly/

// Must run first: nothing is stored yet that an empty list could remove.
it.each([
  [204, undefined],
  [200, ''],
  [200, ' \n'],
])('%s without a body (%j) is shown as an empty list', async (status, body) => {
  await readAs(() => body, status)
  for (const [page] of lists) {
    const visit = await liisa.open(base + page)
    expect(visit.status).toBe(200)
    expect(visit.words).toMatch(/No .+ (yet|registered)/)
    expect(visit.words).not.toMatch(failing)
  }
})

it('every list skips and counts invalid rows, and the log has the reasons without the values', async () => {
  const before = test.log().length
  await readAs(([, , , good, bad]) => [...bad, good])
  const log = test.log().slice(before)
  expect(log).not.toContain(secret)
  for (const [page, , purpose, , bad] of lists) {
    const visit = await liisa.open(base + page)
    expect(visit.status).toBe(200)
    expect(rowsOf(visit)).toHaveLength(1)
    expect(visit.words).toContain('The good one')
    expect(visit.words).toContain(
      bad.length === 1
        ? 'One row could not be loaded and is missing here.'
        : `${bad.length} rows could not be loaded and are missing here.`,
    )
    expect(visit.text).not.toContain(secret)
    const line = linesOf(log).find(
      (candidate) =>
        candidate['msg'] === 'upstream rows skipped' &&
        candidate['purpose'] === purpose &&
        candidate['organisation'] === 'partner/34567',
    )
    expect(line).toMatchObject({ level: 40, skipped: bad.length })
    expect(Object.keys(line?.['reasons'] ?? {}).length).toBeGreaterThan(0)
  }
})

it('an answer that is not a list keeps the stored rows and shows a banner', async () => {
  for (const body of ['<html>Sign in to the proxy</html>', '[{"msn":', { message: 'hello' }, '"text"']) {
    await readAs(() => body)
    for (const [page] of lists) {
      const visit = await liisa.open(base + page)
      expect([page, visit.status]).toEqual([page, 200])
      expect(visit.words).toMatch(failing)
      expect(visit.words).toContain('Showing data from')
      expect(visit.words).toContain('The good one')
      expect(visit.words).not.toMatch(/proxy|JSON|hello/)
    }
  }
})

it('every list says that rows are missing even when all are invalid', async () => {
  await readAs(([, , , , bad]) => bad)
  for (const [page] of lists) {
    const visit = await liisa.open(base + page)
    expect(visit.status).toBe(200)
    expect(visit.words).toContain('could not be loaded and')
    expect(visit.words).not.toMatch(failing)
  }
})

it('a quota keeps the stored rows, and the banner says that the API asked to wait', async () => {
  const quota = { statusCode: 403, message: 'Out of call volume quota. Quota will be replenished in 01:00:00.' }
  await readAs(() => quota, 403)
  const visit = await liisa.open(`${base}/price-packages`)
  expect(visit.status).toBe(200)
  expect(visit.words).toMatch(/The Vipps MobilePay API has asked the portal to wait since \d/)
  expect(visit.words).not.toMatch(/rejected|quota/)
  const { rows } = await test.portal.database.pool.query(
    `select distinct failure, failure_said from sync_state where failure = 'limited' and failure_said is not null`,
  )
  expect(rows).toEqual([{ failure: 'limited', failure_said: `403 ${quota.message}` }])
})

it('an invalid answer without stored data shows the 503 page', async () => {
  const unread = await startTestPortal({
    synced: false,
    faults: { override: ({ path }) => (path.includes('/v') ? { status: 200, body: {} } : undefined) },
  })
  try {
    const kari = await unread.signedIn('Kari Nordmann')
    const order = unread.world.productOrders[0]?.body.productOrderId
    for (const body of [{}, { msn: '123456' }, '<html></html>', '[{"msn":', { msn: secret, name: secret }]) {
      unread.api.faults.override = ({ path }) => (path.includes('/v') ? { status: 200, body } : undefined)
      for (const [page, what] of [
        ['/sales-units', 'sales units'],
        ['/product-orders', 'product orders'],
        ['/price-packages', 'price packages'],
        ['/templates', 'templates'],
        ['/developers/webhooks', 'webhooks'],
        ['/sales-units/28123', 'sales unit'],
        ['/merchants/business:FI:Y-tunnus/9123456-7', 'merchant'],
        [`/product-orders/${order}`, 'product order'],
      ]) {
        const visit = await kari.open(`/partners/12345${page}`)
        expect([page, visit.status]).toEqual([page, 503])
        expect(visit.$('h1').text()).toBe(`We cannot load the ${what} right now`)
        expect(visit.text).not.toContain(secret)
        expect(visit.words).not.toMatch(/JSON|html/)
      }
    }
  } finally {
    await unread.stop()
  }
})
