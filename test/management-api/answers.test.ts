import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { UpstreamNotFoundError, UpstreamUnavailableError } from '../../src/errors.ts'
import { getMerchant } from '../../src/management-api/merchants.ts'
import { httpUrl } from '../../src/management-api/parse.ts'
import { listPricePackages } from '../../src/management-api/price-packages.ts'
import { getProductOrder, listProductOrders } from '../../src/management-api/product-orders.ts'
import { listProductOrderTemplates } from '../../src/management-api/product-order-templates.ts'
import { getSalesUnit, listSalesUnits } from '../../src/management-api/sales-units.ts'
import { listWebhooks } from '../../src/management-api/webhooks.ts'
import { createFixture, keys, rejection, salesUnitsPath } from '../support/management-api-client.ts'

const businessIdentifier = { scheme: 'business:NO:ORG', id: '987654321' }
const id = '12745d37-ce52-55a3-bb28-0479c9d32d7d'

test('a malformed row is skipped, counted, and logged without its values', async () => {
  const { client, upstream, log, logText } = await createFixture()
  const body = [
    { msn: 123456, name: 'Kaffe' },
    { msn: 'zebra' },
    null,
    { msn: 'zebra', name: 'x' },
    { msn: '7', name: 'T' },
  ]
  upstream.answer(salesUnitsPath, { body })
  expect(await listSalesUnits(client)).toEqual({
    rows: [
      { msn: '123456', name: 'Kaffe' },
      { msn: '7', name: 'T' },
    ],
    malformed: [{ msn: 'zebra' }, undefined, { msn: 'zebra' }],
  })
  expect(log().at(-1)).toMatchObject({
    level: 40,
    organisation: 'partner/12345',
    purpose: 'salesUnits',
    skipped: 3,
    reasons: { 'msn: custom': 2, 'row: invalid_type': 1 },
  })
  expect(logText()).not.toContain('zebra')
})

test.each([
  ['204', { status: 204 }],
  ['an empty body', { body: '' }],
])('%s is parsed as an empty list', async (_name, answer) => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, answer)
  upstream.answer('/webhooks/v1/webhooks', answer)
  expect(await listSalesUnits(client)).toEqual({ rows: [], malformed: [] })
  expect(await listWebhooks(client)).toEqual({ rows: [], malformed: [] })
})

test.each([
  ['HTML', '<html>Welcome to the gateway</html>'],
  ['truncated', '[{"msn":'],
  ['an object', { title: 'fine' }],
])('a list that is %s is an invalid response', async (_name, body) => {
  const { client, upstream, logText } = await createFixture()
  upstream.answer(salesUnitsPath, { body })
  upstream.answer('/webhooks/v1/webhooks', { body })
  expect(await rejection(listSalesUnits(client))).toBeInstanceOf(UpstreamUnavailableError)
  expect(await rejection(listWebhooks(client))).toBeInstanceOf(UpstreamUnavailableError)
  expect(upstream.to(salesUnitsPath)).toHaveLength(1)
  expect(logText()).not.toContain('gateway')
})

const longList = Array.from({ length: 20_001 }, (_, index) => ({
  msn: String(100_000 + index),
  name: `Kiosk ${index}`,
}))

test('a long list is parsed completely and in order, without its malformed rows', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { body: [...longList, { msn: 'zebra' }] })
  const { rows, malformed } = await listSalesUnits(client)
  expect(rows).toEqual(longList)
  expect(malformed).toEqual([{ msn: 'zebra' }])
  const webhooks = longList.map(({ msn }) => ({ id: msn, url: `https://x.example/${msn}`, events: [] }))
  upstream.answer('/webhooks/v1/webhooks', { body: { webhooks } })
  expect((await listWebhooks(client)).rows).toEqual(webhooks)
})

const longText = JSON.stringify(longList)

test.each([
  ['cut off', longText.slice(0, -1)],
  ['HTML', `<html>${longText}</html>`],
  ['something inside', `{"items":${longText}}`],
  ['text', JSON.stringify(longText)],
])('a long list that is %s is an invalid response', async (_name, body) => {
  const { client, upstream, logText } = await createFixture()
  upstream.answer(salesUnitsPath, { body })
  upstream.answer('/webhooks/v1/webhooks', { body })
  expect(await rejection(listSalesUnits(client))).toBeInstanceOf(UpstreamUnavailableError)
  expect(await rejection(listWebhooks(client))).toBeInstanceOf(UpstreamUnavailableError)
  expect(logText()).not.toContain('Kiosk')
})

test('aborting the parse of a long list rejects with the reason of the signal', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { body: longText })
  const controller = new AbortController()
  const reason = new Error('enough')
  const { signal } = controller
  let taken = 0
  const parseRow = () => {
    taken += 1
    controller.abort(reason)
  }
  expect(await rejection(listSalesUnits(client, { signal, begin: async () => ({ take: parseRow }) }))).toBe(reason)
  expect(taken).toBeLessThan(longList.length)
})

test.each([
  ['a very long ID', { pricePackageId: 'x'.repeat(101), name: 'x', description: '1 %' }],
  ['a numeric ID with too many digits', { pricePackageId: '1'.repeat(200), name: 'x', description: '1 %' }],
])('a row with %s is malformed', async (_name, row) => {
  const { client, upstream } = await createFixture()
  upstream.answer('/management/v1/partners/price-packages', { body: [row] })
  expect(await listPricePackages(client)).toEqual({
    rows: [],
    malformed: [{ pricePackageId: row.pricePackageId }],
  })
})

test.each([
  ['missing', { status: 204 }],
  ['a list', { body: [] }],
  ['without an MSN', { body: { name: 'Kaffe', businessIdentifier, configuration: {} } }],
  ['another one', { body: { msn: '1235', name: 'Kaffe', businessIdentifier, configuration: {} } }],
])('a sales unit that is %s is an invalid response', async (_name, answer) => {
  const { client, upstream, log } = await createFixture()
  upstream.answer(`${salesUnitsPath}/1234`, answer)
  expect(await rejection(getSalesUnit(client, '1234'))).toMatchObject({
    status: 503,
    failure: { purpose: 'salesUnit' },
  })
  expect(log().at(-1)).toMatchObject({ level: 40, purpose: 'salesUnit', issues: expect.any(Array) })
})

test.each([
  ['uncompressed', { body: '['.repeat(1001) }],
  ['compressed', { headers: { 'content-encoding': 'gzip' }, body: gzipSync('['.repeat(100_000)) }],
])('a response that is too large is refused and not retried, %s', async (_name, answer) => {
  const { client, upstream } = await createFixture({ limits: { maxBodyBytes: 1000 } })
  upstream.answer(salesUnitsPath, answer)
  const error = await rejection(listSalesUnits(client))
  expect(error).toMatchObject({ status: 503, cause: new Error('response too large') })
  expect(upstream.to(salesUnitsPath)).toHaveLength(1)
  upstream.answer(salesUnitsPath, { body: `[${' '.repeat(998)}]` })
  expect((await listSalesUnits(client)).rows).toEqual([])
})

test('a sales unit keeps unknown configuration, drops null, and has its MSN as text', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(`${salesUnitsPath}/1234`, {
    body: {
      msn: 1234,
      name: 'Kaffe',
      businessIdentifier: { ...businessIdentifier, more: 1 },
      settlementBankAccount: null,
      configuration: {
        paymentAllowed: false,
        captureType: 'Later',
        skipLandingPageAllowed: null,
        brandNew: { a: [1] },
        alsoNew: null,
        recurringAllowed: 'perhaps',
      },
      more: true,
    },
  })
  const unit = await getSalesUnit(client, '1234')
  expect(unit).toEqual({
    msn: '1234',
    name: 'Kaffe',
    businessIdentifier,
    settlementBankAccount: undefined,
    configuration: {
      paymentAllowed: false,
      captureType: 'Later',
      brandNew: { a: [1] },
      recurringAllowed: 'perhaps',
    },
    more: true,
  })
})

test('a sales unit can have no configuration', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(`${salesUnitsPath}/1234`, { body: { msn: '1234', name: 'Kaffe', businessIdentifier } })
  expect((await getSalesUnit(client, '1234')).configuration).toEqual({})
})

test('a merchant keeps an unknown status and a partial address, and drops null', async () => {
  const { client, upstream } = await createFixture()
  const path = '/management/v1/merchants/business:NO:ORG/987654321'
  upstream.answer(path, {
    body: {
      businessIdentifier,
      name: 'Ærlig AS',
      status: 'PAUSED',
      businessAddress: { lines: ['Gata 1'], city: null },
      businessPostAddress: null,
    },
  })
  expect(await getMerchant(client, businessIdentifier)).toEqual({
    businessIdentifier,
    name: 'Ærlig AS',
    status: 'PAUSED',
    createdAt: undefined,
    updatedAt: undefined,
    countryCode: undefined,
    businessAddress: { lines: ['Gata 1'], postCode: undefined, city: undefined, countryCode: undefined },
    businessPostAddress: undefined,
  })
})

test('product orders include expired ones on request, and links only with http(s)', async () => {
  const { client, upstream } = await createFixture()
  const order = {
    productOrderId: id,
    status: 'NEWER',
    businessIdentifier,
    productOrderUrl: 'javascript:alert(1)',
    salesUnit: null,
  }
  upstream.answer('/management/v2/product-orders', { body: [order] })
  upstream.answer(`/management/v2/product-orders/${id}/details`, {
    body: { ...order, productOrderUrl: 'https://portal.example/x' },
  })
  expect((await listProductOrders(client)).rows).toEqual([
    {
      productOrderId: id,
      productOrderType: undefined,
      productType: undefined,
      status: 'NEWER',
      businessIdentifier,
      productOrderUrl: undefined,
      salesUnit: undefined,
      _unread: { productOrderUrl: 'javascript:alert(1)' },
    },
  ])
  await listProductOrders(client, { includeExpired: true })
  expect(upstream.to('/management/v2/product-orders').map(({ query }) => query)).toEqual(['', '?includeExpired=true'])
  expect((await getProductOrder(client, id)).productOrderUrl).toBe('https://portal.example/x')
})

test('a product order ID is normalised to lower case', async () => {
  const { client, upstream } = await createFixture()
  const order = { productOrderId: id.toUpperCase(), status: 'RECEIVED', businessIdentifier }
  upstream.answer('/management/v2/product-orders', { body: [order, { ...order, productOrderId: 'A-1' }] })
  upstream.answer(`/management/v2/product-orders/${id}/details`, { body: order })
  const ids = (await listProductOrders(client)).rows.map(({ productOrderId }) => productOrderId)
  expect(ids).toEqual([id, 'A-1'])
  expect((await getProductOrder(client, id.toUpperCase())).productOrderId).toBe(id)
})

test('price packages keep their prices as text', async () => {
  const { client, upstream } = await createFixture()
  const body = [
    {
      pricePackageId: id,
      name: 'Basis',
      description: '2.99%',
      visibleInSignupForm: true,
      market: 'SE',
      commission: null,
    },
  ]
  upstream.answer('/management/v1/partners/price-packages', { body })
  expect((await listPricePackages(client)).rows).toEqual([
    { ...body[0], productType: undefined, commission: undefined },
  ])
})

test('templates are read from the configured path; a 404 means that none are shared', async () => {
  const { client, upstream } = await createFixture({ productOrderTemplatesPath: '/ours/templates' })
  expect(await rejection(listProductOrderTemplates(client))).toBeInstanceOf(UpstreamNotFoundError)
  upstream.answer('/ours/templates', { body: [{ templateId: id, name: 'Kasse', url: 'data:text/html,x' }] })
  expect((await listProductOrderTemplates(client)).rows).toEqual([
    {
      templateId: id,
      name: 'Kasse',
      url: undefined,
      productType: undefined,
      pricePackageId: undefined,
      lockedFields: [],
      createdAt: undefined,
      _unread: { url: 'data:text/html,x' },
    },
  ])
})

test('webhooks are read for the organisation or for one sales unit', async () => {
  const { client, upstream } = await createFixture()
  const hook = { id, url: 'ftp://odd', events: ['a.v1'] }
  upstream.answer('/webhooks/v1/webhooks', { body: { webhooks: [hook, { id: { id }, url: 'x' }] } })
  expect(await listWebhooks(client)).toEqual({ rows: [hook], malformed: [undefined] })
  await listWebhooks(client, { msn: '123456' })
  const sent = upstream.to('/webhooks/v1/webhooks').map(({ headers }) => headers['merchant-serial-number'])
  expect(sent).toEqual([undefined, '123456'])
})

test('sales unit credentials do not return their own webhooks for another sales unit', async () => {
  const { client, upstream } = await createFixture({ keys: keys['sales-unit'] })
  upstream.answer('/webhooks/v1/webhooks', { body: { webhooks: [] } })
  await listWebhooks(client, { msn: '654321' })
  expect(await rejection(listWebhooks(client, { msn: '123456' }))).toBeInstanceOf(UpstreamNotFoundError)
  expect(upstream.to('/webhooks/v1/webhooks')).toHaveLength(1)
})

test('only http(s) URLs are links', () => {
  expect(httpUrl('https://a.example/x?y')).toBe('https://a.example/x?y')
  expect(httpUrl('http://a.example')).toBe('http://a.example')
  for (const value of ['javascript:alert(1)', 'java\nscript:alert(1)', '/local', 'a.example', '', 7, null, undefined]) {
    expect(httpUrl(value)).toBeUndefined()
  }
})

test('an order has no sales unit while its members are empty, and one without a name by its MSN', async () => {
  const { client, upstream } = await createFixture()
  const order = { productOrderId: id, status: 'COMPLETED', businessIdentifier }
  const units = [
    null,
    {},
    { msn: null, name: null },
    { msn: '', name: ' ' },
    { msn: 123456, name: null },
    { name: 'Kaffe' },
  ]
  upstream.answer('/management/v2/product-orders', { body: units.map((salesUnit) => ({ ...order, salesUnit })) })
  const { rows, malformed } = await listProductOrders(client)
  expect(rows.map(({ salesUnit }) => salesUnit)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    { msn: '123456', name: undefined },
    { msn: undefined, name: 'Kaffe' },
  ])
  expect(malformed).toEqual([])
})

test('a merchant is read without the line of its address that is null, and without dates that no calendar has', async () => {
  const { client, upstream, log } = await createFixture()
  upstream.answer('/management/v1/merchants/business:NO:ORG/987654321', {
    body: {
      businessIdentifier,
      name: 'Ærlig AS',
      createdAt: '2021-31-02T09:12:41Z',
      updatedAt: '2021-02-30',
      businessAddress: { lines: [null, 'Storgata 1', 7, {}], city: 5 },
    },
  })
  expect(await getMerchant(client, businessIdentifier)).toEqual({
    businessIdentifier,
    name: 'Ærlig AS',
    businessAddress: { lines: ['Storgata 1', '7'], city: '5' },
    _unread: {
      createdAt: '2021-31-02T09:12:41Z',
      updatedAt: '2021-02-30',
      'businessAddress.lines[0]': null,
      'businessAddress.lines[3]': {},
    },
  })
  expect(log().at(-1)).toMatchObject({
    msg: 'upstream members unread',
    purpose: 'merchant',
    unread: { createdAt: { rows: 1, example: 'string' }, 'businessAddress.lines[]': { rows: 1 } },
  })
})

test('an identifier without one of its members is kept whole, and the record is read without it', async () => {
  const { client, upstream } = await createFixture()
  const body = { msn: '1234', name: null, businessIdentifier: { scheme: null, id: '987654321' } }
  upstream.answer(`${salesUnitsPath}/1234`, { body: { ...body, settlementBankAccount: {} } })
  const { _unread: unread, ...unit } = await getSalesUnit(client, '1234')
  expect(unit).toEqual({ msn: '1234', configuration: {} })
  expect(unread).toEqual({ name: null, businessIdentifier: body.businessIdentifier })
})

test('equal unread members of details are logged when they begin, and not with each record', async () => {
  const { client, upstream, log } = await createFixture()
  for (const msn of ['1001', '1002', '1003']) {
    upstream.answer(`${salesUnitsPath}/${msn}`, { body: { msn, name: null, businessIdentifier } })
    await getSalesUnit(client, msn)
  }
  expect(log().filter(({ msg }) => msg === 'upstream members unread')).toHaveLength(1)
})

test('short lists and tokens may begin with a byte order mark', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer('/accesstoken/get', { body: '\uFEFF{"access_token":"x","expires_in":"900"}' })
  upstream.answer(salesUnitsPath, { body: '\uFEFF[{"msn":123456,"name":"Kaffe"}]' })
  upstream.answer(`${salesUnitsPath}/1234`, { body: '\uFEFF{"msn":"1234"}' })
  expect((await listSalesUnits(client)).rows).toEqual([{ msn: '123456', name: 'Kaffe' }])
  expect(await getSalesUnit(client, '1234')).toMatchObject({ msn: '1234' })
})
