import { describe, expect, test } from 'vitest'
import { demoPeople } from '../../demo/people.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { organisationsFile } from '../../demo/world/credentials.ts'
import {
  businessIdPattern,
  msnPattern,
  organisationKey,
  partnerIdPattern,
  schemePattern,
} from '../../src/domain/organisation.ts'

const world = createDemoWorld()

function ordersOf(id: string) {
  return world.productOrders.filter(({ partnerId }) => partnerId === id)
}

const orders = ordersOf('12345').map(({ body }) => body)

function unitsOf(id: string) {
  return world.salesUnits.filter(({ partnerId }) => partnerId === id)
}

function merchantsOf(id: string) {
  return Map.groupBy(unitsOf(id), ({ body }) => body.businessIdentifier.id)
}

function isDistinct(values: string[]) {
  return new Set(values).size === values.length
}

test('two builds are equal and share nothing, and another size does not change the small partner', () => {
  const again = createDemoWorld()
  expect(again).toEqual(world)
  const before = structuredClone(world)
  for (const { body } of again.salesUnits) {
    body.configuration['changed'] = true
    body.businessIdentifier.id = 'changed'
  }
  for (const { body } of again.merchants) {
    body.businessAddress?.lines.push('changed')
    body.businessPostAddress?.lines.push('changed')
  }
  for (const { body } of again.webhooks) body.events.push('changed')
  for (const { body } of again.templates) body.lockedFields?.push('changed')
  for (const { body } of again.productOrders) body.businessIdentifier.id = 'changed'
  expect(createDemoWorld()).toEqual(before)

  const small = createDemoWorld({ salesUnits: 20 })
  expect(small.salesUnits.filter(({ partnerId }) => partnerId === '12345')).toEqual(unitsOf('12345'))
  expect(small.productOrders.filter(({ partnerId }) => partnerId === '12345')).toEqual(ordersOf('12345'))
  expect(small.salesUnits.filter(({ partnerId }) => partnerId === '23456')).toHaveLength(20)
})

test('IDs are unique in a large world', () => {
  const { merchants, salesUnits } = createDemoWorld({ salesUnits: 40_000 })
  expect(isDistinct(salesUnits.map(({ body }) => body.msn))).toBe(true)
  expect(isDistinct(merchants.map(({ body }) => Object.values(body.businessIdentifier).join('/')))).toBe(true)
})

test.each([
  [20, 20],
  [400, 400],
  [1200, 400],
  [5000, 500],
  [40_000, 4000],
])('a partner with %d sales units has %d product orders', (salesUnits, count) => {
  const own = createDemoWorld({ salesUnits }).productOrders.filter(({ partnerId }) => partnerId === '23456')
  expect(own).toHaveLength(count)
  expect(isDistinct(own.map(({ body }) => body.productOrderId))).toBe(true)
})

test('a world can have no sales units of the large partner', () => {
  expect(createDemoWorld({ salesUnits: 0 }).productOrders).toHaveLength(38)
})

describe('sizes', () => {
  test.each([
    ['12345', 14, 38, 8, 5],
    ['23456', 1200, 400, 6, 0],
    ['34567', 0, 0, 0, 0],
  ])('partner %s', (id, salesUnits, productOrders, pricePackages, templates) => {
    const count = (rows: { partnerId: string | null }[]) => rows.filter(({ partnerId }) => partnerId === id).length
    expect(count(world.salesUnits)).toBe(salesUnits)
    expect(count(world.productOrders)).toBe(productOrders)
    expect(count(world.pricePackages)).toBe(pricePackages)
    expect(count(world.templates)).toBe(templates)
  })

  test('merchants have several sales units; the large partner has hundreds of merchants', () => {
    expect(merchantsOf('12345').get('311900456')?.length).toBeGreaterThan(2)
    expect(merchantsOf('23456').size).toBe(300)
  })
})

describe('product orders of 12345', () => {
  const statuses = ['RECEIVED', 'MERCHANT_VIEWED', 'ORDER_SUBMITTED', 'EXPIRED', 'COMPLETED', 'REJECTED']
  const productTypes = ['PAYMENT_INTEGRATION', 'CASHIER', 'CHECKOUT', 'LOGIN', 'DONATIONS']

  test.each(productTypes)('%s has prefilled orders in every status', (productType) => {
    const seen = orders.filter((o) => o.productType === productType && o.productOrderType === 'PREFILL')
    expect(seen.map(({ status }) => status)).toEqual(expect.arrayContaining(statuses))
  })

  test.each(['TEMPLATE', 'MANUAL'])('%s has its three statuses and no other', (type) => {
    const seen = orders.filter(({ productOrderType }) => productOrderType === type)
    expect(seen.map(({ status }) => status).toSorted()).toEqual(['COMPLETED', 'RECEIVED', 'REJECTED'])
  })

  test('every product type also has orders that are not prefilled', () => {
    const seen = orders.filter(({ productOrderType }) => productOrderType !== 'PREFILL')
    expect(new Set(seen.map(({ productType }) => productType))).toEqual(new Set(productTypes))
  })

  test('one status and one product type are unknown', () => {
    expect(orders.filter(({ status }) => !statuses.includes(status))).toHaveLength(1)
    expect(orders.filter(({ productType }) => !productTypes.includes(productType))).toHaveLength(1)
  })

  test('only COMPLETED has a sales unit and only a current prefilled order a link; else null or absent', () => {
    for (const order of [...orders, ...ordersOf('23456').map(({ body }) => body)]) {
      const final = ['EXPIRED', 'COMPLETED', 'REJECTED'].includes(order.status)
      expect(!!order.salesUnit).toBe(order.status === 'COMPLETED')
      expect(!!order.productOrderUrl).toBe(order.productOrderType === 'PREFILL' && !final)
    }
    for (const member of ['salesUnit', 'productOrderUrl'] as const) {
      expect(orders.some((order) => order[member] === null)).toBe(true)
      expect(orders.some((order) => !(member in order))).toBe(true)
    }
  })
})

test('every market has merchants and price packages with and without commission', () => {
  const markets = new Set(['DK', 'FI', 'NO'])
  const own = world.pricePackages.filter(({ partnerId }) => partnerId === '12345').map(({ body }) => body)
  const countries = unitsOf('12345').map(({ body }) => body.businessIdentifier.scheme.slice(9, 11))
  expect(new Set(countries)).toEqual(markets)
  expect(new Set(own.map(({ market }) => market))).toEqual(markets)
  expect(own.some(({ commission }) => commission === null)).toBe(true)
  expect(own.some(({ commission }) => commission?.endsWith('%'))).toBe(true)
  expect(own.some((row) => !('commission' in row))).toBe(true)
  expect(new Set(own.map(({ visibleInSignupForm }) => visibleInSignupForm))).toEqual(new Set([true, false]))
})

test('the world has the awkward names', () => {
  const names = unitsOf('12345').map(({ body }) => body.name)
  expect(names).toEqual(
    expect.arrayContaining([
      'ACME Fantastic Fitness',
      'Bergen Fitness Sentrum',
      'København Fitness Ø',
      'Fitness Tampere Oy',
      'Café "Ørsta"',
      'Fjord Fitness & Spa',
      "Ole's Gym",
      '<script>alert("hei")</script> Kiosk',
    ]),
  )
  expect(names.join('')).toMatch(/ä/)
})

test('the world has the awkward configurations', () => {
  const configurations = unitsOf('12345').map(({ body }) => body.configuration)
  expect(configurations).toContainEqual({ paymentAllowed: false, captureType: 'NotApplicable' })
  expect(configurations).toContainEqual(
    expect.objectContaining({ tippingAllowed: true, captureType: 'InstantCapture' }),
  )
  // The API has not sent it since February 2025.
  expect(world.salesUnits.filter(({ body }) => body.settlementBankAccount)).toEqual([])
})

test('all values match the patterns and limits of the API, and IDs are unique', () => {
  for (const { body } of world.salesUnits) {
    expect(body.msn).toMatch(msnPattern)
    expect(body.name.length).toBeLessThanOrEqual(50)
  }
  const address = /^[^]{1,30}$/
  for (const { body } of world.merchants) {
    expect(body.businessIdentifier.scheme).toMatch(schemePattern)
    expect(body.businessIdentifier.id).toMatch(businessIdPattern)
    expect(body.name.length).toBeLessThanOrEqual(50)
    expect(body.updatedAt >= body.createdAt && body.updatedAt < '2026-10-02').toBe(true)
    for (const line of body.businessAddress?.lines ?? []) expect(line).toMatch(address)
  }
  for (const { body } of world.pricePackages) {
    expect(body.name.length).toBeLessThanOrEqual(30)
    expect(body.description.length).toBeLessThanOrEqual(6)
  }
  expect(isDistinct(world.salesUnits.map(({ body }) => body.msn))).toBe(true)
  expect(isDistinct(world.merchants.map(({ body }) => JSON.stringify(body.businessIdentifier)))).toBe(true)
  const uuids = [
    ...world.productOrders.map(({ body }) => body.productOrderId),
    ...world.pricePackages.map(({ body }) => body.pricePackageId),
    ...world.templates.map(({ body }) => body.templateId),
    ...world.webhooks.map(({ body }) => body.id),
  ]
  for (const id of uuids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  expect(isDistinct(uuids)).toBe(true)
})

test('all references exist', () => {
  const merchants = new Set(world.merchants.map(({ body }) => JSON.stringify(body.businessIdentifier)))
  const units = new Map(world.salesUnits.map((row) => [row.body.msn, row]))
  for (const { body } of world.salesUnits) expect(merchants).toContain(JSON.stringify(body.businessIdentifier))
  for (const { partnerId, body } of world.productOrders) {
    if (!body.salesUnit) continue
    expect(units.get(body.salesUnit.msn)).toMatchObject({ partnerId, active: true, body: body.salesUnit })
  }
  const packageIds = world.pricePackages.map(({ body }) => body.pricePackageId)
  const linked = world.templates.flatMap(({ body }) => body.pricePackageId ?? [])
  expect(linked).toHaveLength(4)
  expect(packageIds).toEqual(expect.arrayContaining(linked))
  for (const { registeredFor } of world.webhooks.filter((row) => row.registeredFor.startsWith('msn/'))) {
    expect(units.has(registeredFor.slice('msn/'.length))).toBe(true)
  }
})

describe('credentials and people', () => {
  const file = organisationsFile(world)

  test('the organisations file has every type of credentials and no secret twice', () => {
    expect(file.partners.map(({ id, keys }) => [id, keys.type])).toEqual([
      ['12345', 'partner'],
      ['23456', 'partner'],
      ['34567', 'management'],
    ])
    expect(file.partners.every(({ id }) => partnerIdPattern.test(id))).toBe(true)
    expect(file.partners[0]?.keys).not.toHaveProperty('merchantSerialNumber')
    expect(file.partners[1]?.keys).toHaveProperty('merchantSerialNumber', unitsOf('23456')[0]?.body.msn)
    expect(file.merchants.map(({ scheme, keys }) => [scheme, keys.type])).toEqual([
      ['business:NO:ORG', 'management'],
      ['business:DK:CVR', 'management'],
      ['business:FI:Y-tunnus', 'management'],
      ['business:NO:ORG', 'sales-unit'],
    ])
    expect(isDistinct([...file.partners, ...file.merchants].map(({ keys }) => keys.clientSecret))).toBe(true)
  })

  test('people have access only to existing organisations', () => {
    const keys = world.organisations.map(({ organisation }) => organisationKey(organisation))
    for (const { grants, revoked = [] } of demoPeople) {
      for (const reference of [...grants.map(({ organisation }) => organisation), ...revoked])
        expect(keys).toContain(organisationKey(reference))
    }
    expect(isDistinct(demoPeople.flatMap(({ sub, email }) => [sub, email]))).toBe(true)
    expect(demoPeople.find(({ name }) => name === 'Ola Hansen')).toMatchObject({
      grants: [],
      revoked: [{ kind: 'partner', id: '12345' }],
    })
  })
})
