import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Visit } from '../support/browser.ts'
import { messages } from '../support/messages.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { chipsOf, factsOf, headingsOf, inOrder, rowsOf } from '../support/page-content.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal()
})
afterAll(async () => test.stop())

const countries = { DK: 'Denmark', FI: 'Finland', NO: 'Norway' }

/** A percentage as English writes it. */
function english(text: string): string {
  return text.replace(' %', '%').replace(',', '.')
}

/** The markets of the list in their order, each with the IDs below it. */
function marketsOf({ $ }: Visit): [market: string, ids: string[]][] {
  const markets: [string, string[]][] = []
  for (const row of $('main tbody tr').toArray()) {
    if ($(row).is('.market')) markets.push([$(row).text().trim(), []])
    else markets.at(-1)?.[1].push(String($(row).attr('id')))
  }
  return markets.map(([market, ids]) => [market, ids.toSorted()])
}

/** The numbers of templates and of sales units whose price package the API tells. */
function usesOf(id: string): string {
  const templates = test.world.templates.filter(({ body }) => body.pricePackageId === id).length
  const units = test.world.salesUnits.filter(({ body }) => body.pricePackageId === id).length
  const count = (number: number, noun: string) => (number === 0 ? [] : [`${number} ${noun}${number === 1 ? '' : 's'}`])
  return [...count(templates, 'template'), ...count(units, 'sales unit')].join(' ')
}

const products: Record<string, string> = messages.productType

it.each([
  ['12345', 8],
  ['23456', 6],
])('the list shows every price package of partner %s with commission, market and ID', async (partnerId, count) => {
  const åse = await test.signedIn('Åse Bjørk')
  const page = await åse.open(`/partners/${partnerId}/price-packages`)
  expect(headingsOf(page)).toEqual(['Name', 'Price', 'Commission', 'Product', 'In order form', 'Used by', 'ID'])
  const packages = test.world.pricePackages.filter((row) => row.partnerId === partnerId)
  expect(packages).toHaveLength(count)
  const expected = packages.map(({ body }) => [
    body.name,
    english(body.description),
    english(body.commission ?? 'None'),
    products[body.productType ?? ''] ?? '',
    body.visibleInSignupForm ? 'Yes' : 'No',
    usesOf(body.pricePackageId),
    body.pricePackageId,
  ])
  expect(inOrder(rowsOf(page))).toEqual(inOrder(expected))
  expect(marketsOf(page)).toEqual(
    Object.entries(countries).map(([market, country]) => [
      country,
      packages
        .filter(({ body }) => body.market === market)
        .map(({ body }) => body.pricePackageId)
        .toSorted(),
    ]),
  )
  for (const { body } of packages) {
    expect(page.$(`tr[id="${body.pricePackageId}"] td strong`).text()).toBe(body.name)
    expect(page.$(`button[data-copy="${body.pricePackageId}"]`)).toHaveLength(1)
  }
  expect(page.words).toContain('Which price package does a sales unit have?')
})

it('each number of templates and sales units leads to exactly its rows', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  const { $ } = await kari.open('/partners/12345/price-packages')
  const links = $('main tbody a[href*="?package="]')
    .toArray()
    .map((link) => ({ href: String($(link).attr('href')), count: Number.parseInt($(link).text(), 10) }))
  expect(links.some(({ href }) => href.includes('/templates'))).toBe(true)
  expect(links.some(({ href }) => href.includes('/sales-units'))).toBe(true)
  for (const { href, count } of links) {
    const list = await kari.open(href)
    expect([href, rowsOf(list).length]).toEqual([href, count])
    expect(Object.keys(chipsOf(list)).join()).toContain('Price package: ')
  }
})

it('the page of a sales unit says which price package it has, and that the API says so', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  const unit = test.world.salesUnits.find(({ body }) => body.msn === '123456')?.body
  const known = test.world.pricePackages.find(({ body }) => body.pricePackageId === unit?.pricePackageId)?.body
  const path = '/partners/12345/sales-units/123456'
  const page = await kari.open(path)
  expect(factsOf(page)['Price package']).toContain(
    `${known?.name} ${english(String(known?.description))}, commission ${english(String(known?.commission))}`,
  )
  expect(factsOf(page)['Price package']).toContain('According to the API, seen since')
  const link = page.$(`dd a[href="/partners/12345/price-packages?q=${known?.pricePackageId}"]`)
  expect(link).toHaveLength(1)
  // Another place, another name, and text of another kind.
  Object.assign(unit ?? {}, { pricePackageId: null, agreement: { prices: [{ pricePackage: { id: 'gone' } }] } })
  await test.sync()
  expect(factsOf(await kari.open(path))['Price package']).toContain('gone no longer in your list of price packages')
})

it('the order that created a sales unit tells its price package', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  const order = test.world.productOrders.find(
    ({ partnerId, body }) => partnerId === '12345' && body.salesUnit && body.salesUnit.msn !== '123456',
  )?.body
  const given = test.world.pricePackages.find(({ partnerId }) => partnerId === '12345')?.body
  Object.assign(order ?? {}, { terms: { pricePackageId: given?.pricePackageId } })
  await test.sync()
  for (const path of [`sales-units/${order?.salesUnit?.msn}`, `product-orders/${order?.productOrderId}`])
    expect(factsOf(await kari.open(`/partners/12345/${path}`))['Price package']).toMatch(
      new RegExp(`^${given?.name} .*According to the API, seen since`),
    )
})

it('what is not known is narrowed to the price packages of market and product, and says so', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  const order = test.world.productOrders.find(
    ({ partnerId, body }) =>
      partnerId === '12345' &&
      body.productType === 'PAYMENT_INTEGRATION' &&
      body.businessIdentifier.scheme.includes('NO') &&
      body.status !== 'COMPLETED',
  )?.body
  const fact = factsOf(await kari.open(`/partners/12345/product-orders/${order?.productOrderId}`))['Price package']
  expect(fact).toContain(
    'Most likely one of 2: Standard 2.99%, commission 30% Standard uten provisjon 2.49%, no commission',
  )
  expect(fact).toContain('Neither the API nor a file says which.')
})

it('sales units are filtered by price package, and downloads tell it and how it is known', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  const unit = test.world.salesUnits.find(({ body }) => body.msn === '230001')?.body
  const known = test.world.pricePackages.find(({ body }) => body.pricePackageId === unit?.pricePackageId)?.body
  const csv = await kari.open(`/partners/12345/sales-units.csv?package=${known?.pricePackageId}`)
  expect(csv.text).toContain('"Price package","Price package ID","Commission","How we know"')
  expect(csv.text).toContain(
    `"${known?.name}","${known?.pricePackageId}","${known?.commission}","According to the API, seen since`,
  )
  const all = await kari.open('/partners/12345/sales-units.csv')
  expect(all.text).toContain('Most likely one of ')
  const page = await kari.open('/partners/12345/sales-units')
  expect(page.$('#package label').length).toBeGreaterThan(1)
  const merchant = await (await test.signedIn('Åse Bjørk')).open('/merchants/business:NO:ORG/311900456/sales-units')
  expect(merchant.$('#package')).toHaveLength(0)
})

it('the empty list says whom to ask', async () => {
  const liisa = await test.signedIn('Liisa Korhonen')
  const page = await liisa.open('/partners/34567/price-packages')
  expect(page.words).toContain('No price packages yet')
  expect(page.words).toContain('Contact your partner manager to agree on prices.')
  expect(page.$('main table')).toHaveLength(0)
})

it('the list filters by name, ID, product and market, and sorts', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  const path = '/partners/12345/price-packages'
  const packages = test.world.pricePackages.filter(({ partnerId }) => partnerId === '12345').map(({ body }) => body)
  const idsOf = async (query: string) => rowsOf(await kari.open(`${path}?${query}`)).map((row) => String(row[6]))
  const ids = (wanted: (body: (typeof packages)[number]) => boolean) =>
    packages
      .filter(wanted)
      .map(({ pricePackageId }) => pricePackageId)
      .toSorted()
  const [one] = packages
  expect(await idsOf(`q=${one?.pricePackageId}`)).toEqual([one?.pricePackageId])
  expect((await idsOf('market=DK')).toSorted()).toEqual(ids(({ market }) => market === 'DK'))
  expect(ids(({ market }) => market === 'DK').length).toBeGreaterThan(0)
  expect((await idsOf(`product=${one?.productType}&market=${one?.market}`)).toSorted()).toEqual(
    ids(({ productType, market }) => productType === one?.productType && market === one?.market),
  )
  const byCommission = await kari.open(`${path}?by=-commission&market=NO`)
  expect(rowsOf(byCommission).map((row) => row[2])).toEqual(['30%', '20%', 'None', 'None'])
  expect(marketsOf(await kari.open(`${path}?by=-commission`)).map(([market]) => market)).toEqual(
    Object.values(countries),
  )
  expect(marketsOf(await kari.open(`${path}?sort=-market`)).map(([market]) => market)).toEqual(
    Object.values(countries).toReversed(),
  )
  expect((await kari.open(`${path}?market=SE`)).words).toContain('No price packages match your filters')
})

it('prices and commissions are written as in the language, and found as people type them', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  const path = '/partners/12345/price-packages'
  const namesOf = async (q: string) =>
    rowsOf(await kari.open(`${path}?q=${encodeURIComponent(q)}`)).map(([name]) => name)
  for (const q of ['2,99', '2.99', '2,99 %', '2.99%']) expect([q, await namesOf(q)]).toEqual([q, ['Standard']])
  expect(await namesOf('20%')).toEqual(['Kasse'])
  await kari.open('/language/nb')
  const page = await kari.open(`${path}?q=2,99`)
  expect(rowsOf(page)[0]?.slice(1, 3)).toEqual(['2,99 %', '30 %'])
  expect(page.$('td.right').first().attr('class')).toContain('right')
  expect(page.$('td mark').text()).toBe('2,99')
})

it('the list shows unknown values unchanged and leaves missing ones out', async () => {
  const bodies: Record<string, unknown>[] = [
    { pricePackageId: 'a', name: 'New', description: 7, productType: 'GIFT_CARDS', market: 'SE' },
    { pricePackageId: 'b', name: 'Odd', description: '<i>1 %</i>', market: 'MOON' },
  ]
  test.api.faults.override = ({ path }) =>
    path.endsWith('/price-packages') ? { status: 200, body: bodies } : undefined
  await test.sync()
  const liisa = await test.signedIn('Liisa Korhonen')
  const page = await liisa.open('/partners/34567/price-packages')
  test.api.faults.override = null
  expect(inOrder(rowsOf(page))).toEqual(
    inOrder([
      ['New', '7', 'None', 'Gift cards (GIFT_CARDS)', '', '', 'a'],
      ['Odd', '<i>1 %</i>', 'None', 'Not provided', '', '', 'b'],
    ]),
  )
  expect(marketsOf(page).map(([market]) => market)).toEqual(['MOON', 'Sweden'])
})
