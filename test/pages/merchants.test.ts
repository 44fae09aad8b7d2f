import { afterAll, beforeAll, expect, it } from 'vitest'
import { visibleMerchant } from '../../demo/management-api/visibility.ts'
import type { DemoAddress, DemoMerchant } from '../../demo/world/types.ts'
import { messages } from '../support/messages.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { factsOf, wordsOf, writtenIdentifier } from '../support/page-content.ts'

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

function salesUnitsOf({ $ }: Visit): string[] {
  return $('section[aria-labelledby=units] li')
    .toArray()
    .map((unit) => wordsOf($(unit)))
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
    expect(page.$('h1').text()).toBe(name)
    expect(factsOf(page)).toEqual({
      'Business identifier': `${writtenIdentifier(businessIdentifier)} ${businessIdentifier.scheme}`,
      Status: 'Active',
      Country: countries[countryCode],
      'Merchant since': date(createdAt),
      'Last changed': date(updatedAt),
      ...(rest.businessAddress ? { 'Business address': addressWords(rest.businessAddress) } : {}),
      ...(rest.businessPostAddress ? { 'Postal address': addressWords(rest.businessPostAddress) } : {}),
    })
    expect(salesUnitsOf(page).toSorted()).toEqual(salesUnits.map(({ body }) => `${body.name} ${body.msn}`).toSorted())
    expect(page.words).toContain('Sales units that have you as partner')
    expect(page.$('nav.crumbs a').attr('href')).toBe('/partners/12345/sales-units')
  }
})

it('missing fields are shown as "Not given"', async () => {
  const { body } = merchantOf('9234567-8')
  const { businessIdentifier, name } = body
  test.api.faults.override = ({ path }) =>
    path.endsWith('/9234567-8') ? { status: 200, body: { businessIdentifier, name } } : undefined
  await test.sync()
  const mikko = await test.signedIn('Mikko Mäkinen')
  const facts = factsOf(await mikko.open('/merchants/business:FI:Y-tunnus/9234567-8/details'))
  test.api.faults.override = null
  expect(facts).toMatchObject({
    Status: 'Not given',
    Country: 'Not given',
    'Merchant since': 'Not given',
    'Last changed': 'Not given',
  })
})

it('a merchant sees its own details and all its sales units', async () => {
  const åse = await test.signedIn('Åse Bjørk')
  const page = await åse.open('/merchants/business:NO:ORG/311900456/details')
  expect(page.$('h1').text()).toBe('ACME Fantastic Fitness AS')
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
  expect(page.words).toContain('This merchant is not shared with you')
  expect(page.words).toContain(id)
  expect(page.words).not.toContain(merchantOf(id).body.name)
  for (const reason of Object.values(messages.errors.merchantNotShared.reasons)) expect(page.words).toContain(reason)
})
