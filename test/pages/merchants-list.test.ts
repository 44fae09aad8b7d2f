import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { merchantKey } from '../../src/domain/business-identifier.ts'
import { finalStatuses } from '../../src/domain/product-order.ts'
import { portalDay } from '../../src/domain/time-zone.ts'
import { deleteOldChanges } from '../../src/store/changes.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { chipsOf, headingsOf, inOrder, readRows, rowsOf, wordsOf, writtenIdentifier } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let kari: Browser
let nora: Browser
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
  nora = await test.signedIn('Nora Lie')
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
      products: ordered.map(({ productType }) => productType),
    }
  })
}

/** The words and the count of each tab, and where it leads. */
function tabsOf({ $ }: Visit) {
  return $('nav.status-tabs a')
    .toArray()
    .map((tab) => ({
      text: wordsOf($(tab)),
      count: Number($(tab).find('.count').text()),
      href: String($(tab).attr('href')),
    }))
}

/** The tabs of a list, each of which has as many rows as it says, and no other. */
async function countedTabs(query: string): Promise<string[]> {
  const tabs = tabsOf(await kari.open(path + query))
  for (const { text, count, href } of tabs) {
    const url = new URL(href, `${test.url}${path}`)
    const page = await kari.open(url.pathname + url.search)
    const shown = rowsOf(page)
    expect([text, shown.length, wordsOf(page.$('#found')).split(' ')[0]]).toEqual([text, count, String(count)])
    expect(wordsOf(page.$('nav.status-tabs [aria-current]'))).toBe(text)
  }
  return tabs.map(({ text }) => text)
}

/** Last change and date of the merchant that the text finds, as its row says them. */
async function changeOf(q: string, browser = kari): Promise<string[] | undefined> {
  return rowsOf(await browser.open(`${path}?q=${q}`))[0]?.slice(5)
}

const acme = '311900456'

/** A sales unit of the demo world. */
function unitOf(msn: string) {
  const unit = test.world.salesUnits.find(({ body }) => body.msn === msn)
  if (!unit) throw new Error(`no sales unit ${msn}`)
  return unit
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
    'Date',
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

it('each tab counts its rows, also with a text, a market, a product or a number of sales units', async () => {
  const all = expectedMerchants()
  const open = all.filter(({ open: orders }) => orders > 0).length
  const without = all.filter(({ units }) => units === 0).length
  expect([open > 0, without > 0]).toEqual([true, true])
  expect(await countedTabs('')).toEqual([
    `All ${all.length}`,
    `With open orders ${open}`,
    `Without sales units ${without}`,
    // The merchants of the first sync may be older than the portal.
    'New this week 0',
  ])
  const danish = all.filter(({ key }) => key.includes(':DK:'))
  expect((await countedTabs('?market=DK'))[0]).toBe(`All ${danish.length}`)
  expect((await countedTabs('?market=DK&orders=some'))[0]).toBe(`All ${danish.length}`)
  for (const query of ['?q=fitness', '?q=fitness&market=DK&units=none', '?product=CHECKOUT&new=7'])
    await countedTabs(query)
  // A number of sales units stays in all tabs but those that have another.
  const few = all.filter(({ units }) => units > 1 && units < 10)
  expect(await countedTabs('?units=few')).toEqual([
    `All ${few.length}`,
    `With open orders ${few.filter(({ open: orders }) => orders > 0).length}`,
    `Without sales units ${without}`,
    'New this week 0',
  ])
})

it('filters by the number of sales units and the product of a current order, as the form offers them', async () => {
  const all = expectedMerchants()
  const form = await kari.open(path)
  expect(
    form
      .$('#filters details.dropdown > summary')
      .toArray()
      .map((field) => wordsOf(form.$(field))),
  ).toEqual(['Market', 'Sales units', 'Product'])
  expect(wordsOf(form.$('#units fieldset'))).toMatch(/^Sales units All 1 2 to 9 10 or more Show$/)
  const one = await kari.open(`${path}?units=one`)
  expect(rowsOf(one)).toHaveLength(all.filter(({ units }) => units === 1).length)
  expect(chipsOf(one)).toEqual({ 'Sales units: 1': path })
  const few = await kari.open(`${path}?units=few`)
  expect(rowsOf(few)).toHaveLength(all.filter(({ units }) => units > 1).length)
  expect(chipsOf(few)).toEqual({ 'Sales units: 2 to 9': path })
  const product = all.flatMap(({ products }) => products)[0] ?? ''
  const ordered = all.filter(({ products }) => products.includes(product))
  expect(ordered.length).toBeLessThan(all.length)
  expect(rowsOf(await kari.open(`${path}?product=${product}`))).toHaveLength(ordered.length)
  expect((await kari.open(`${path}.csv?product=${product}`)).text.trim().split('\r\n')).toHaveLength(1 + ordered.length)
  for (const suffix of ['', '.csv']) expect((await kari.open(`${path}${suffix}?product=NOTHING`)).status).toBe(400)
  // A tab's filter stays when the form is sent.
  expect((await kari.open(`${path}?units=none`)).$('#units input:checked').attr('value')).toBe('none')
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

it('links to merchants with sales units or without open orders work, and show as chips', async () => {
  const page = await kari.open(`${path}?orders=none&units=some`)
  expect(Object.keys(chipsOf(page))).toEqual(['Sales units: With', 'Open orders: Without'])
  expect(page.$('nav.status-tabs [aria-current]')).toHaveLength(0)
})

it('search finds merchants by name and by identifier, also those that only have orders', async () => {
  const only = expectedMerchants().find(({ units }) => units === 0)
  expect(rowsOf(await kari.open(`${path}?q=${only?.identifier.id}`))).toHaveLength(1)
  expect(rowsOf(await kari.open(`${path}?q=acme`)).map((row) => row[0])).toEqual(['ACME Fantastic Fitness AS'])
  const found = await kari.open(`/partners/12345/search?q=${only?.identifier.id}`)
  expect(found.url.pathname).toBe(`${path}/${only?.identifier.scheme}/${only?.identifier.id}`)
})

it('says the last change of a merchant in words, with its date', async () => {
  const [, today] = (await changeOf(acme)) ?? []
  expect(today).toMatch(/^Today, \d\d:\d\d$/)
  unitOf('123456').body.name = 'ACME Fantastic Fitness Two'
  await test.sync()
  expect((await changeOf(acme))?.[0]).toBe('Sales unit changed')
  const order = test.world.productOrders.find(
    ({ partnerId, body }) => partnerId === '12345' && body.businessIdentifier.id === acme,
  )
  if (!order) throw new Error('no order')
  for (const [status, words] of [
    ['MERCHANT_VIEWED', 'Order viewed'],
    ['ORDER_SUBMITTED', 'Order submitted'],
    ['ON_HOLD', 'Order changed'],
    ['COMPLETED', 'Order completed'],
  ]) {
    Object.assign(order.body, { status })
    await test.sync()
    expect((await changeOf(acme))?.[0]).toBe(words)
  }
  const another = structuredClone(order)
  Object.assign(another.body, { productOrderId: randomUUID(), status: 'RECEIVED' })
  test.world.productOrders.push(another)
  await test.sync()
  expect((await changeOf(acme))?.[0]).toBe('Order received')
  const merchant = test.world.merchants.find(({ body }) => body.businessIdentifier.id === acme)
  Object.assign(merchant?.body ?? {}, { businessAddress: null })
  await test.sync()
  expect((await changeOf(acme))?.[0]).toBe('Merchant changed')
  unitOf('123789').active = false
  await test.sync()
  expect((await changeOf(acme))?.[0]).toBe('Sales unit removed')
  unitOf('123789').active = true
  await test.sync()
  expect((await changeOf(acme))?.[0]).toBe('Sales unit available again')
  const csv = await kari.open(`${path}.csv?q=${acme}`)
  expect(csv.text.trim()).toMatch(new RegExp(`"Sales unit available again"[,;]"${portalDay(new Date())}"$`))
})

it('a viewer sees the last change that viewers may see, also in the download', async () => {
  expect(await changeOf(acme, nora)).toEqual(await changeOf(acme))
  Object.assign(unitOf('124680').body, { ownerName: 'Private Owner' })
  await test.sync()
  expect((await changeOf(acme))?.[0]).toBe('Sales unit changed')
  expect((await changeOf(acme, nora))?.[0]).toBe('New sales unit')
  const download = async (browser: Browser) => (await browser.open(`${path}.csv?q=${acme}`)).text
  expect(await download(kari)).toContain('Sales unit changed')
  expect(await download(nora)).toContain('New sales unit')
})

it('new merchants have a tab, without those of the first sync', async () => {
  const { kysely } = test.portal.database
  const past = new Date(Date.now() - 100 * 86_400_000)
  for (const table of ['sales_units', 'product_orders', 'merchants', 'merchant_summaries'] as const)
    await kysely.updateTable(table).set({ first_seen_at: past }).execute()
  const known = test.world.merchants.find(({ body }) => body.businessIdentifier.id === acme)
  if (!known) throw new Error('no merchant')
  const addMerchant = (id: string, name: string) => {
    const businessIdentifier = { scheme: 'business:NO:ORG', id }
    test.world.merchants.push({ ...known, body: { ...known.body, businessIdentifier, name } })
    return businessIdentifier
  }
  const identifier = addMerchant('999888777', 'Brand New AS')
  for (let number = 0; number < 10; number += 1) {
    const unit = structuredClone(unitOf('123456'))
    Object.assign(unit.body, { msn: String(190_000 + number), businessIdentifier: identifier })
    test.world.salesUnits.push(unit)
  }
  // A merchant that the portal knows is not new for a new sales unit.
  const other = structuredClone(unitOf('123456'))
  other.body.msn = '190100'
  test.world.salesUnits.push(other)
  // Nor is one that takes over a sales unit that the portal knows.
  unitOf('28124').body.businessIdentifier = addMerchant('999888778', 'New Owner AS')
  await test.sync()
  expect(rowsOf(await kari.open(`${path}?q=owner`))).toHaveLength(1)
  const page = await kari.open(`${path}?new=7`)
  expect(rowsOf(page).map(([name, , , units, , change]) => [name, units, change])).toEqual([
    ['Brand New AS', '10', 'New sales unit'],
  ])
  expect(Object.keys(chipsOf(page))).toEqual(['New: last 7 days'])
  expect(await countedTabs('')).toContain('New this week 1')
  expect(await countedTabs('?q=brand')).toEqual([
    'All 1',
    'With open orders 0',
    'Without sales units 0',
    'New this week 1',
  ])
  expect(rowsOf(await kari.open(`${path}?units=many`)).map(([name]) => name)).toEqual(['Brand New AS'])
  expect(rowsOf(await kari.open(`${path}?units=few&q=brand`))).toHaveLength(0)
  await kysely
    .updateTable('merchant_summaries')
    .set({ first_seen_at: new Date(Date.now() - 8 * 86_400_000) })
    .where('business_id', '=', identifier.id)
    .execute()
  expect(rowsOf(await kari.open(`${path}?new=7`))).toHaveLength(0)
  expect(rowsOf(await kari.open(`${path}?new=30`))).toHaveLength(1)
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

it('removed merchants have a tab, and their rows lead to a page that says so', async () => {
  const removed = rowsOf(await kari.open(`${path}?removed=1`))
  expect(removed).toHaveLength(1)
  expect(removed[0]?.slice(3)).toEqual(['0', '0', 'Order removed', expect.stringMatching(/^Today, /)])
  for (const unit of test.world.salesUnits) if (/^19000\d$/.test(unit.body.msn)) unit.active = false
  await test.sync()
  const page = await kari.open(`${path}?removed=1`)
  expect(rowsOf(page)).toHaveLength(2)
  expect(chipsOf(page)).toEqual({ Removed: path })
  expect(wordsOf(page.$('#found'))).toBe('2 merchants')
  expect(await countedTabs('')).toContain('Removed 2')
  expect(await countedTabs('?q=brand')).toEqual([
    'All 0',
    'With open orders 0',
    'Without sales units 0',
    'New this week 0',
    'Removed 1',
  ])
  const [row] = rowsOf(await kari.open(`${path}?removed=1&q=brand`))
  expect([row?.[0], row?.[3]]).toEqual(['Brand New AS', '0'])
  const gone = await kari.open(String((await kari.open(`${path}?removed=1&q=brand`)).$('tbody .row-link').attr('href')))
  expect([gone.status, gone.$('h1').text()]).toEqual([410, expect.stringContaining('Brand New AS')])
})

it('without history the record itself tells whether it is new or removed, and nothing else', async () => {
  unitOf('124680').body.name = 'Tromsø Fitness'
  const added = structuredClone(unitOf('230001'))
  added.body.msn = '190200'
  test.world.salesUnits.push(added)
  await test.sync()
  await deleteOldChanges(test.portal.database, 0)
  expect(await changeOf(acme)).toEqual(['', expect.stringMatching(/^Today, /)])
  const words = (await readRows(kari, `${path}?removed=1`)).map((row) => row[5])
  expect(words).toContain('Order removed')
  expect((await changeOf('Københavns'))?.[0]).toBe('New sales unit')
})
