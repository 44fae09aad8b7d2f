import { afterAll, beforeAll, expect, it } from 'vitest'
import { merchantKey } from '../../src/domain/business-identifier.ts'
import { finalStatuses } from '../../src/domain/product-order.ts'
import type { Browser } from '../support/browser.ts'
import { chipsOf, headingsOf, inOrder, readRows, rowsOf, writtenIdentifier } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

const path = '/partners/12345/merchants'
const countries: Record<string, string> = { NO: 'Norway', DK: 'Denmark', FI: 'Finland' }

/** The merchants of the partner's visible sales units and of its orders, by key. */
function expectedMerchants() {
  const active = new Set(
    test.world.merchants
      .filter(({ body }) => body.status === 'ACTIVE')
      .map(({ body }) => merchantKey(body.businessIdentifier)),
  )
  const units = test.world.salesUnits
    .filter(({ partnerId, active: isActive }) => partnerId === '12345' && isActive)
    .map(({ body }) => body)
    .filter(({ businessIdentifier }) => active.has(merchantKey(businessIdentifier)))
  const orders = test.world.productOrders.filter(({ partnerId }) => partnerId === '12345').map(({ body }) => body)
  const identifiers = new Map(
    [...units, ...orders].map(({ businessIdentifier }) => [merchantKey(businessIdentifier), businessIdentifier]),
  )
  return [...identifiers].map(([key, identifier]) => {
    const own = units.filter(({ businessIdentifier }) => merchantKey(businessIdentifier) === key)
    const ordered = orders.filter(({ businessIdentifier }) => merchantKey(businessIdentifier) === key)
    const known = test.world.merchants.find(({ body }) => merchantKey(body.businessIdentifier) === key)
    return {
      key,
      identifier,
      name: own.length > 0 ? known?.body.name : undefined,
      units: own.length,
      open: ordered.filter(({ status }) => !finalStatuses.includes(status)).length,
    }
  })
}

it('the list shows every merchant of sales units and of orders, with their numbers', async () => {
  const page = await kari.open(path)
  expect(headingsOf(page)).toEqual([
    'Merchant',
    'Business identifier',
    'Country',
    'Sales units',
    'Open orders',
    'Last change',
  ])
  const expected = expectedMerchants()
  expect(expected.some(({ units, open }) => units === 0 && open > 0)).toBe(true)
  const rows = await readRows(kari, path)
  expect(inOrder(rows.map((row) => row.slice(0, 5)))).toEqual(
    inOrder(
      expected.map(({ identifier, name, units, open }) => [
        name ?? writtenIdentifier(identifier),
        writtenIdentifier(identifier),
        countries[identifier.scheme.split(':')[1] ?? ''] ?? '',
        String(units),
        String(open),
      ]),
    ),
  )
  expect(page.words).toContain(`${expected.length} merchants`)
  expect(page.$('nav.menu a[aria-current=page] .count').text()).toBe(String(expected.length))
})

it('each number leads to exactly its rows, with a chip that says so', async () => {
  const { $ } = await kari.open(`${path}?size=100`)
  const links = $('main tbody td.right a')
    .toArray()
    .map((link) => ({ href: String($(link).attr('href')), count: Number($(link).text()) }))
  expect(links.length).toBeGreaterThan(10)
  for (const { href, count } of links) {
    const list = await kari.open(href)
    expect([href, rowsOf(list).length]).toEqual([href, count])
    expect(Object.keys(chipsOf(list)).join()).toMatch(/Merchant: /)
  }
})

it('filters by country, sales units and open orders, sorts by each column, and exports what is shown', async () => {
  const all = expectedMerchants()
  const countOf = async (query: string) => (await readRows(kari, `${path}?size=100&${query}`)).length
  expect(await countOf('market=DK')).toBe(all.filter(({ key }) => key.includes(':DK:')).length)
  expect(await countOf('units=none')).toBe(all.filter(({ units }) => units === 0).length)
  expect(await countOf('orders=some')).toBe(all.filter(({ open }) => open > 0).length)
  expect(await countOf('orders=none&units=some')).toBe(all.filter(({ open, units }) => open === 0 && units > 0).length)
  const columnOf = async (query: string, at: number) =>
    (await readRows(kari, `${path}?size=100&${query}`)).map((row) => String(row[at]))
  for (const [column, at] of [
    ['units', 3],
    ['orders', 4],
  ] as const) {
    const up = (await columnOf(`sort=${column}`, at)).map(Number)
    expect(up).toEqual(up.toSorted((a, b) => a - b))
    const down = (await columnOf(`sort=-${column}`, at)).map(Number)
    expect(down).toEqual(down.toSorted((a, b) => b - a))
  }
  for (const sort of ['identifier', '-country', 'changed', '-name'])
    expect(await countOf(`sort=${sort}`)).toBe(all.length)
  const csv = await kari.open(`${path}.csv?market=DK&units=some&sort=-units`)
  expect(csv.text.trim().split('\r\n')).toHaveLength(
    1 + all.filter(({ key, units }) => key.includes(':DK:') && units > 0).length,
  )
  expect((await kari.open(`${path}?orders=many`)).status).toBe(400)
})

it('search finds merchants by name and by identifier, also those that only have orders', async () => {
  const only = expectedMerchants().find(({ units }) => units === 0)
  expect(rowsOf(await kari.open(`${path}?q=${only?.identifier.id}`))).toHaveLength(1)
  expect(rowsOf(await kari.open(`${path}?q=acme`)).map((row) => row[0])).toEqual(['ACME Fantastic Fitness AS'])
  const found = await kari.open(`/partners/12345/search?q=${only?.identifier.id}`)
  expect(found.url.pathname).toBe(`${path}/${only?.identifier.scheme}/${only?.identifier.id}`)
})

it('the counts follow the API: a completed order is no longer open, and a merchant without anything is gone', async () => {
  const open = test.world.productOrders.find(({ partnerId, body }) => {
    const own = expectedMerchants().find(({ key }) => key === merchantKey(body.businessIdentifier))
    return partnerId === '12345' && body.status === 'RECEIVED' && own?.units === 0 && own.open === 1
  })
  const { id } = open?.body.businessIdentifier ?? { id: '' }
  const rowOf = async () => rowsOf(await kari.open(`${path}?q=${id}`))[0]?.slice(3, 5)
  expect(await rowOf()).toEqual(['0', '1'])
  if (open) open.body.status = 'REJECTED'
  await test.sync()
  expect(await rowOf()).toEqual(['0', '0'])
  test.world.productOrders.splice(test.world.productOrders.indexOf(open ?? test.world.productOrders[0]!), 1)
  await test.sync()
  expect(await rowOf()).toBeUndefined()
})
