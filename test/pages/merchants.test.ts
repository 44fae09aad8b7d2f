import { afterAll, beforeAll, expect, it } from 'vitest'
import { visibleMerchant } from '../../demo/management-api/visibility.ts'
import type { DemoAddress, DemoMerchant } from '../../demo/world/types.ts'
import { messages } from '../support/messages.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { explainedIdentifier, factsOf, wordsOf } from '../support/page-content.ts'

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

const nordlys = { kind: 'partner', id: '12345' } as const
const countries: Record<string, string> = { NO: 'Norway', DK: 'Denmark', FI: 'Finland' }

function pathOf({ body: { businessIdentifier } }: DemoMerchant): string {
  return `/partners/12345/merchants/${businessIdentifier.scheme}/${businessIdentifier.id}`
}

function date(iso: string): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'Europe/Oslo' }).format(new Date(iso))
}

function addressWords({ lines, postCode, city, countryCode }: DemoAddress): string {
  return [...lines, [postCode, city].join(' '), countryCode && countries[countryCode]].filter(Boolean).join(' ')
}

/** The rows of a section's table: the text of each cell. */
function rowsIn({ $ }: Visit, section: string): string[][] {
  return $(`section[aria-labelledby=${section}] tbody tr`)
    .toArray()
    .map((row) =>
      $(row)
        .find('td')
        .toArray()
        .map((cell) => wordsOf($(cell))),
    )
}

function salesUnitsOf(page: Visit): string[] {
  return rowsIn(page, 'units').map(([name, msn]) => `${name} ${msn}`)
}

function merchantOf(id: string): DemoMerchant {
  const merchant = test.world.merchants.find(({ body }) => body.businessIdentifier.id === id)
  if (!merchant) throw new Error(`no merchant ${id}`)
  return merchant
}

it('a partner sees all shared fields of each merchant, and its sales units with the partner', async () => {
  const seen = test.world.merchants.flatMap(
    ({ body }) => visibleMerchant(test.world, nordlys, body.businessIdentifier) ?? [],
  )
  expect(seen).toHaveLength(7)
  for (const { merchant, salesUnits } of seen) {
    const page = await kari.open(pathOf(merchant))
    const { name, businessIdentifier, createdAt, updatedAt, countryCode, ...rest } = merchant.body
    expect(wordsOf(page.$('h1'))).toBe(`${name} Active`)
    expect(factsOf(page)).toEqual({
      'Business identifier': explainedIdentifier(businessIdentifier),
      Country: countries[countryCode],
      'Merchant since': date(createdAt),
      'Last changed': date(updatedAt),
      ...(rest.businessAddress ? { 'Business address': addressWords(rest.businessAddress) } : {}),
      ...(rest.businessPostAddress ? { 'Postal address': addressWords(rest.businessPostAddress) } : {}),
    })
    expect(salesUnitsOf(page).toSorted()).toEqual(salesUnits.map(({ body }) => `${body.name} ${body.msn}`).toSorted())
    expect(page.words).toContain('Sales units that have you as partner')
    expect(page.$('nav.crumbs a').attr('href')).toBe('/partners/12345/merchants')
  }
})

it('missing fields are shown as "Not provided"', async () => {
  const { body } = merchantOf('9234567-8')
  const { businessIdentifier, name } = body
  test.api.faults.override = ({ path }) =>
    path.endsWith('/9234567-8') ? { status: 200, body: { businessIdentifier, name } } : undefined
  await test.sync()
  const mikko = await test.signedIn('Mikko Mäkinen')
  const facts = factsOf(await mikko.open('/merchants/business:FI:Y-tunnus/9234567-8/details'))
  test.api.faults.override = null
  expect(facts).toMatchObject({
    Country: 'Not provided',
    'Merchant since': 'Not provided',
    'Last changed': 'Not provided',
  })
})

it('a merchant sees its own details and all its sales units', async () => {
  const åse = await test.signedIn('Åse Bjørk')
  const page = await åse.open('/merchants/business:NO:ORG/311900456/details')
  expect(wordsOf(page.$('h1'))).toBe('ACME Fantastic Fitness AS Active')
  expect(factsOf(page)['Postal address']).toBe('Postboks 77 Sentrum 0101 Oslo Norway')
  expect(salesUnitsOf(page).toSorted()).toEqual([
    'ACME Fantastic Fitness 123456',
    'ACME Fitness nettbutikk 124999',
    'Bergen Fitness Sentrum 123789',
    'Tromsø Fitness Nordlys 124680',
  ])
  expect(page.$('nav.crumbs')).toHaveLength(0)
})

it.each([
  ['was deactivated', '316770373'],
  ['has no sales unit with the partner', '9234567-8'],
])('the 404 page explains a merchant that %s', async (_what, id) => {
  const page = await kari.open(pathOf(merchantOf(id)))
  expect(page.status).toBe(404)
  expect(page.words).toContain('You do not have access to this merchant')
  expect(page.words).toContain(id)
  expect(page.words).not.toContain(merchantOf(id).body.name)
  for (const reason of Object.values(messages.errors.merchantNotShared.reasons)) expect(page.words).toContain(reason)
})

it('shows orders as a table that leads to them, and all of them in the list', async () => {
  const order = test.world.productOrders.find(
    ({ partnerId, body }) => partnerId === '12345' && body.salesUnit?.msn === '28123',
  )
  const { scheme, id } = order?.body.businessIdentifier ?? { scheme: '', id: '' }
  const orders = test.world.productOrders.filter(
    ({ partnerId, body }) => partnerId === '12345' && body.businessIdentifier.id === id,
  )
  const page = await kari.open(`/partners/12345/merchants/${scheme}/${id}`)
  expect(rowsIn(page, 'orders')).toHaveLength(Math.min(orders.length, 10))
  expect(page.$('section[aria-labelledby=orders] a[href*="/product-orders/"]').length).toBeGreaterThan(0)
  expect(page.$(`section[aria-labelledby=orders] a[href$="/sales-units/28123"]`).length).toBeGreaterThan(0)
  const all = await kari.open(String(page.$('section[aria-labelledby=orders] .related-title a').attr('href')))
  expect(all.$('main tbody tr')).toHaveLength(orders.length)
})

it('the table of sales units tells their price packages', async () => {
  const page = await kari.open('/partners/12345/merchants/business:NO:ORG/311900456')
  expect(rowsIn(page, 'units').map((row) => row[3])).toEqual(['Standard', 'Standard', ''])
})

it('a merchant with orders only has a page with its orders, and says what is missing', async () => {
  const units = new Set(test.world.salesUnits.map(({ body }) => body.businessIdentifier.id))
  const order = test.world.productOrders.find(
    ({ partnerId, body }) => partnerId === '12345' && !units.has(body.businessIdentifier.id),
  )
  const { scheme, id } = order?.body.businessIdentifier ?? { scheme: '', id: '' }
  const page = await kari.open(`/partners/12345/merchants/${scheme}/${id}`)
  expect(page.status).toBe(200)
  expect(page.words).toContain('Only orders')
  expect(page.words).toContain('the API shares only its orders')
  expect(rowsIn(page, 'orders')).toHaveLength(1)
  expect(rowsIn(page, 'units')).toHaveLength(0)
})

it('developers see the webhooks of its sales units, viewers nothing of them', async () => {
  const hook = {
    id: '11111111-2222-4333-8444-555555555555',
    url: 'https://hooks.example/unit',
    events: ['a', 'b', 'c'],
  }
  test.world.webhooks.push({ registeredFor: 'msn/123789', body: hook })
  await test.sync()
  const path = '/partners/12345/merchants/business:NO:ORG/311900456'
  const page = await kari.open(path)
  expect(rowsIn(page, 'webhooks').map((row) => row[0])).toContain(hook.url)
  const all = await kari.open(String(page.$('section[aria-labelledby=webhooks] .related-title a').attr('href')))
  expect(all.$('main tbody tr')).toHaveLength(rowsIn(page, 'webhooks').length)
  expect(all.words).toContain('Merchant: ACME Fantastic Fitness AS')
  const nora = await test.signedIn('Nora Lie')
  const seen = await nora.open(path)
  expect(seen.status).toBe(200)
  expect(seen.text).not.toMatch(/webhook|hooks\.example/i)
})

it('a merchant whose last sales unit goes says so', async () => {
  const unit = test.world.salesUnits.find(({ body }) => body.msn === '231777')
  const path = '/partners/12345/merchants/business:DK:CVR/92345678'
  expect((await kari.open(path)).status).toBe(200)
  if (unit) unit.active = false
  const { productOrders } = test.world
  const others = productOrders.filter(({ body }) => body.businessIdentifier.id !== '92345678')
  productOrders.splice(0, productOrders.length, ...others)
  await test.sync()
  const page = await kari.open(path)
  expect(page.status).toBe(410)
  expect(page.words).toContain('is no longer shared with you')
  expect(page.words).not.toContain('Søndergade')
})
