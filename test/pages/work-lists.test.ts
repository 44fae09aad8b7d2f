import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { chipsOf, headingsOf, rowsOf, shownDate, wordsOf } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let kari: Browser
let nora: Browser
/** The MSNs of the partner's sales units, the latest of which is removed by the first test. */
let msns: string[]
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
  nora = await test.signedIn('Nora Lie')
  msns = visibleSalesUnits(test.world, { kind: 'partner', id: '12345' }).map(({ body }) => body.msn)
})
afterAll(async () => test.stop())

const units = '/partners/12345/sales-units'
const orders = '/partners/12345/product-orders'
const dayMs = 86_400_000

async function backdate(table: 'sales_units' | 'product_orders', keys: readonly string[], days: number) {
  const at = new Date(Date.now() - days * dayMs)
  await test.portal.database.kysely
    .updateTable(table)
    .set({ first_seen_at: at, changed_at: at })
    .where('organisation', '=', 'partner/12345')
    .where('key', 'in', keys)
    .execute()
}

function tabsOf({ $ }: Visit): string[] {
  return $('nav.status-tabs li')
    .toArray()
    .map((tab) => wordsOf($(tab)))
}

function msnsOf(page: Visit): string[] {
  return rowsOf(page)
    .map((row) => String(row[1]))
    .toSorted()
}

describe('sales units', () => {
  it('that are removed have a tab with since when, and lead to their page', async () => {
    expect(tabsOf(await kari.open(units))).toEqual([])
    const unit = test.world.salesUnits.find(({ body }) => body.msn === msns.at(-1))
    if (!unit) throw new Error('no sales unit')
    unit.active = false
    await test.sync()
    const active = await kari.open(units)
    expect(tabsOf(active)).toEqual(['Active 11', 'Removed 1'])
    const removed = await kari.open(`${units}?removed=1`)
    expect(headingsOf(removed).at(-1)).toBe('Removed')
    expect(rowsOf(removed).map((row) => [row[1], row.at(-1)])).toEqual([[unit.body.msn, shownDate(new Date())]])
    expect(removed.words).toContain('1 sales unit')
    expect(chipsOf(removed)).toEqual({ Removed: '/partners/12345/sales-units' })
    const page = await kari.open(String(removed.$('tbody a').attr('href')))
    expect([page.status, page.$('h1').text()]).toEqual([410, expect.stringContaining(unit.body.name)])
    expect(rowsOf(await kari.open(`${units}?removed=1&q=${unit.body.msn}`))).toHaveLength(1)
    expect(rowsOf(await kari.open(`${units}?removed=1&q=nothing`))).toHaveLength(0)
  })

  it('that are new leave out those of the first sync', async () => {
    expect(rowsOf(await kari.open(`${units}?new=7`))).toHaveLength(0)
    await backdate('sales_units', msns, 100)
    await backdate('sales_units', msns.slice(0, 2), 5)
    await backdate('sales_units', msns.slice(2, 3), 20)
    const page = await kari.open(`${units}?new=7`)
    expect(msnsOf(page)).toEqual(msns.slice(0, 2).toSorted())
    expect(page.words).toContain('2 of 11 sales units')
    expect(Object.keys(chipsOf(page))).toEqual(['New: last 7 days'])
    expect(msnsOf(await kari.open(`${units}?new=30`))).toEqual(msns.slice(0, 3).toSorted())
    const month = new Date(Date.now() - 20 * dayMs).toISOString().slice(0, 7)
    expect(msnsOf(await kari.open(`${units}?month=${month}`))).toContain(msns[2])
    expect(rowsOf(await kari.open(`${units}?month=2020-01`))).toHaveLength(0)
  })

  it('that were there at the end of a month include those removed since, and leave out later ones', async () => {
    const at = new Date(Date.now() - 40 * dayMs).toISOString().slice(0, 7)
    const page = await kari.open(`${units}?at=${at}`)
    // All but those of the last three weeks; the removed one was there then.
    expect(msnsOf(page)).toEqual(msns.slice(3).toSorted())
    const gone = rowsOf(page).filter((row) => row[1] === msns.at(-1))
    expect(gone.map((row) => [row[0], row.at(-1)])).toEqual([
      [
        expect.stringMatching(new RegExp(` Removed ${shownDate(new Date())}$`)),
        shownDate(new Date(Date.now() - 100 * dayMs)),
      ],
    ])
    const [chip = ''] = Object.keys(chipsOf(page))
    expect(chip).toMatch(/^Active at the end of \w+ \d{4}$/)
    expect(tabsOf(page)).toEqual([])
    expect(msnsOf(await kari.open(`${units}?at=${new Date().toISOString().slice(0, 7)}`))).toHaveLength(11)
    expect(rowsOf(await kari.open(`${units}?at=2020-01`))).toHaveLength(0)
    expect((await kari.open(`${units}?at=2020-13`)).status).toBe(400)
  })

  it('without a webhook are found by developers only, and viewers see nothing of the filter', async () => {
    const owners = new Set(test.world.webhooks.map(({ registeredFor }) => registeredFor))
    const without = msns.slice(0, -1).filter((msn) => !owners.has(`msn/${msn}`))
    const page = await kari.open(`${units}?webhooks=none`)
    expect(without.length).toBeGreaterThan(0)
    expect(without.length).toBeLessThan(11)
    expect(msnsOf(page)).toEqual(without.toSorted())
    expect(Object.keys(chipsOf(page))).toEqual(['Without webhooks'])
    const same = await nora.open(`${units}?webhooks=none`)
    expect(rowsOf(same)).toHaveLength(11)
    expect(chipsOf(same)).toEqual({})
    expect(same.words).not.toMatch(/webhook/i)
    expect(same.$('#webhooks, a[href*=developers]')).toHaveLength(0)
  })
})

describe('product orders', () => {
  const waiting = () =>
    test.world.productOrders.filter(
      ({ partnerId, body }) =>
        partnerId === '12345' &&
        body.productOrderType === 'PREFILL' &&
        ['RECEIVED', 'MERCHANT_VIEWED'].includes(body.status),
    )

  it('that changed lately leave out the first sync, with any number of days', async () => {
    const rejected = `${orders}?status=REJECTED&changed=14`
    expect(rowsOf(await kari.open(rejected))).toHaveLength(0)
    const ids = test.world.productOrders
      .filter(({ partnerId, body }) => partnerId === '12345' && body.status === 'REJECTED')
      .map(({ body }) => body.productOrderId)
    await backdate('product_orders', ids, 30)
    await backdate('product_orders', ids.slice(0, 2), 13)
    expect(rowsOf(await kari.open(rejected))).toHaveLength(2)
    const page = await kari.open(`${orders}?status=REJECTED&changed=12`)
    expect(rowsOf(page)).toHaveLength(0)
    expect(Object.keys(chipsOf(page))).toEqual(['Changed: last 12 days', 'Status: Rejected'])
  })

  it('that expire soon are those whose link still works and ends within so many days', async () => {
    const [over, today, inThree, inFour] = waiting().map(({ body }) => body.productOrderId)
    if (!over || !today || !inThree || !inFour) throw new Error('too few orders')
    await backdate('product_orders', [over], 14.01)
    await backdate('product_orders', [today], 14 - 0.001)
    await backdate('product_orders', [inThree], 11)
    await backdate('product_orders', [inFour], 10)
    const idsOf = async (query: string) =>
      (await kari.open(`${orders}?${query}`))
        .$('tbody a')
        .toArray()
        .map((link) => new URL(String(link.attribs['href']), test.url).pathname.split('/').at(-1))
    expect(await idsOf('expiring=3')).toEqual([today, inThree])
    expect(await idsOf('expiring=4')).toEqual([today, inThree, inFour])
    const page = await kari.open(`${orders}?expiring=3`)
    expect(page.words).toContain('2 of 38 product orders')
    expect(Object.keys(chipsOf(page))).toEqual(['Expires: within 3 days'])
    expect(page.$('tbody .soon')).toHaveLength(2)
    const all = await kari.open(`${orders}?waiting=1`)
    expect(all.$('tbody .soon')).toHaveLength(2)
    expect(rowsOf(all)).toHaveLength(waiting().length)
    expect(rowsOf(all).filter((row) => row.join(' ').includes('link has expired'))).toHaveLength(1)
  })
})
