import { afterAll, beforeAll, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { rowsOf } from '../support/page-content.ts'
import type { Browser } from '../support/browser.ts'

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  const world = createDemoWorld({ salesUnits: 1, oddities: true })
  world.organisations = world.organisations.filter(({ organisation }) => organisation.kind === 'partner')
  test = await startTestPortal({ world, oddities: true })
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

const base = '/partners/12345'
const technical = /\[object|undefined|\bnull\b|\bNaN\b|Invalid Date/

it.each(['/sales-units?size=100', '/product-orders?expired=1&size=100', '/price-packages', '/templates'])(
  'every odd record is shown in its list: %s',
  async (path) => {
    const page = await kari.open(base + path)
    expect(page.status).toBe(200)
    expect(page.words).not.toMatch(technical)
    expect(page.words).not.toContain('could not be loaded')
  },
)

it.each(['/sales-units/190001', '/sales-units/190011', '/merchants/business:NO:ORG/399000001'])(
  'the page of an odd record is shown: %s',
  async (path) => {
    const page = await kari.open(base + path)
    expect(page.status).toBe(200)
    expect(page.words).not.toMatch(technical)
  },
)

it('a sales unit without a name is shown by its MSN', async () => {
  const page = await kari.open(`${base}/sales-units?q=190001`)
  expect(rowsOf(page)[0]?.slice(0, 2)).toEqual(['190001', '190001'])
})

it('order IDs in upper and lower case are one order', async () => {
  const count = async () => (await kari.open(`${base}/product-orders?expired=1`)).$('#found').text()
  const before = await count()
  for (let read = 0; read < 3; read += 1) {
    await test.sync()
    expect(await count()).toBe(before)
  }
  const { rows } = await test.portal.database.pool.query(
    `select 1 from product_orders where key ~ '[A-F]' and key not like '~%'`,
  )
  expect(rows).toEqual([])
})

it('the webhooks page says how many of one event there can be, and shows renamed events', async () => {
  const page = await kari.open(`${base}/developers/webhooks?size=50`)
  expect(page.words).toContain('The partner, all sales units: 24 of at most 25 webhooks for user.checked-in.v1.')
  for (const event of ['recurring.charge-canceled.v1', 'Recurring.Charge_Cancelled.v2'])
    expect(page.words).toContain(`Charge cancelled ${event}`)
  expect(page.words).toContain('Payment captured epayment.payment.captured.v1')
  expect(page.words).not.toMatch(technical)
})

it('a quota is shown as a request to wait, and not as refused keys', async () => {
  const liisa = await test.signedIn('Liisa Korhonen')
  const page = await liisa.open('/partners/34567/developers/webhooks')
  expect(page.status).toBe(503)
  expect(page.$('h1').text()).toBe('The API asks the portal to wait')
})
