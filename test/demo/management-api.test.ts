import { createServer, type Server } from 'node:http'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createDemoManagementApi,
  type DemoManagementApi,
  type DemoManagementApiOptions,
} from '../../demo/management-api.ts'
import { createDemoWorld } from '../../demo/world.ts'
import type { DemoKeys, DemoWorld } from '../../demo/world/types.ts'
import { createLogger } from '../../src/logger.ts'
import { organisationKey } from '../../src/domain/organisation.ts'

const system = {
  'Vipps-System-Name': 'Partner portal',
  'Vipps-System-Version': '1.0.0',
  'Vipps-System-Plugin-Name': 'tests',
  'Vipps-System-Plugin-Version': '1.0.0',
}

const nordlys = 'partner/12345'
const fjordkasse = 'partner/23456'
const empty = 'partner/34567'
const acme = 'merchant/business:NO:ORG/311900456'
const sauna = 'merchant/business:FI:Y-tunnus/9234567-8'
const cafe = 'merchant/business:NO:ORG/313402778'
const salesUnitsPath = '/management/v1/sales-units'

let world: DemoWorld
let api: DemoManagementApi
let server: Server
let origin: string
let log: string

async function start(options: Partial<DemoManagementApiOptions> = {}) {
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      log += String(chunk)
      done()
    },
  })
  log = ''
  world = createDemoWorld({ salesUnits: 20 })
  api = createDemoManagementApi(world, { logger: createLogger('debug', destination), ...options })
  server = createServer(api.app)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('the demo API does not listen')
  origin = `http://127.0.0.1:${address.port}`
}

function stop() {
  return new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
}
beforeEach(() => start())
afterEach(stop)

function keysOf(key: string): DemoKeys {
  const found = world.organisations.find(({ organisation }) => organisationKey(organisation) === key)
  if (!found) throw new Error(`no organisation ${key}`)
  return found.keys
}

function basic({ clientId, clientSecret }: DemoKeys) {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
}

function requestToken(keys: DemoKeys, headers: Record<string, string> = {}) {
  return keys.type === 'management'
    ? fetch(`${origin}/miami/v1/token`, {
        method: 'POST',
        headers: { ...system, Authorization: basic(keys), ...headers },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      })
    : fetch(`${origin}/accesstoken/get`, {
        method: 'POST',
        headers: {
          ...system,
          client_id: keys.clientId,
          client_secret: keys.clientSecret,
          'Ocp-Apim-Subscription-Key': keys.subscriptionKey,
          ...headers,
        },
      })
}

// The bodies have many shapes; a missing member fails the assertion.
// oxlint-disable-next-line typescript/no-explicit-any
async function json(answer: Promise<Response>): Promise<any> {
  return (await answer).json()
}

/** Returns a GET function with all required headers; a header given as '' is omitted. */
async function signIn(key: string) {
  const keys = keysOf(key)
  const answer = await json(requestToken(keys))
  const own = {
    ...system,
    Authorization: `Bearer ${answer.access_token}`,
    ...(keys.type === 'management' ? {} : { 'Ocp-Apim-Subscription-Key': keys.subscriptionKey }),
    ...(keys.type === 'sales-unit' ? { 'Merchant-Serial-Number': keys.merchantSerialNumber } : {}),
  }
  return (path: string, headers: Record<string, string> = {}) => {
    const all = Object.entries({ ...own, ...headers }).filter(([, value]) => value !== '')
    return fetch(`${origin}${path}`, { headers: Object.fromEntries(all) })
  }
}

type Get = Awaited<ReturnType<typeof signIn>>
async function status(answer: Promise<Response>) {
  return (await answer).status
}

async function msns(get: Get, path = salesUnitsPath): Promise<string[]> {
  return (await json(get(path))).map(({ msn }: { msn: string | number }) => String(msn))
}

async function urls(get: Get, headers: Record<string, string> = {}): Promise<string[]> {
  return (await json(get('/webhooks/v1/webhooks', headers))).webhooks.map((row: { url: string }) => row.url)
}

function statuses(get: Get, ...paths: string[]) {
  return Promise.all(paths.map((path) => status(get(path))))
}

describe('token endpoints', () => {
  test('standard: expires_in is a string, 24 hours', async () => {
    const answer = await requestToken(keysOf(nordlys))
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ token_type: 'Bearer', expires_in: '86400' })
  })

  test('management: expires_in is a number, 15 minutes', async () => {
    const answer = await requestToken(keysOf(acme))
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ expires_in: 900 })
  })

  test.each(['client_id', 'client_secret', 'Ocp-Apim-Subscription-Key'])(
    'standard: a wrong %s is 401',
    async (header) => {
      const answer = await requestToken(keysOf(nordlys), { [header]: 'wrong' })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('Content-Type')).toContain('application/problem+json')
      expect(await answer.json()).toMatchObject({ status: 401, traceId: expect.stringMatching(/^\w{32}$/) })
    },
  )

  test('standard: an MSN of another organisation is 401, an own one is accepted', async () => {
    expect(await status(requestToken(keysOf(nordlys), { 'Merchant-Serial-Number': '290001' }))).toBe(401)
    expect(await status(requestToken(keysOf(nordlys), { 'Merchant-Serial-Number': '123456' }))).toBe(200)
    expect(await status(requestToken(keysOf(cafe), { 'Merchant-Serial-Number': '123456' }))).toBe(401)
  })

  test('management: a subscription key or a wrong secret is invalid_client', async () => {
    const withKey = await requestToken(keysOf(acme), { 'Ocp-Apim-Subscription-Key': 'any' })
    expect(withKey.status).toBe(401)
    expect(await withKey.json()).toEqual({ error: 'invalid_client' })
    const wrong = { ...keysOf(acme), clientSecret: 'wrong' }
    expect(await status(requestToken(wrong))).toBe(401)
  })

  test('management: another grant type is 400', async () => {
    const answer = fetch(`${origin}/miami/v1/token`, {
      method: 'POST',
      headers: { ...system, Authorization: basic(keysOf(acme)) },
      body: new URLSearchParams({ grant_type: 'password' }),
    })
    expect(await json(answer)).toEqual({ error: 'unsupported_grant_type' })
  })

  test('each endpoint refuses the other type of credentials', async () => {
    const { clientId, clientSecret } = keysOf(nordlys)
    expect(await status(requestToken({ type: 'management', clientId, clientSecret }))).toBe(401)
    const asPartner = { ...keysOf(acme), type: 'partner' as const, subscriptionKey: 'any' }
    expect(await status(requestToken(asPartner))).toBe(401)
  })

  test('a token expires', async () => {
    await stop()
    await start({ tokenLifetimeSeconds: 0.2 })
    const get = await signIn(nordlys)
    expect(await status(get(salesUnitsPath))).toBe(200)
    await expect.poll(async () => status(get(salesUnitsPath))).toBe(401)
  })
})

describe('headers', () => {
  test.each(Object.keys(system))('%s is required and at most 30 characters', async (header) => {
    const get = await signIn(nordlys)
    for (const value of ['', 'x'.repeat(31)]) {
      const answer = await get(salesUnitsPath, { [header]: value })
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ detail: expect.stringContaining(header) })
    }
    expect(await status(get(salesUnitsPath, { [header]: 'x'.repeat(30) }))).toBe(200)
    expect(await status(requestToken(keysOf(nordlys), { [header]: 'x'.repeat(31) }))).toBe(400)
  })

  test('an unknown token is 401, and so is a missing one', async () => {
    const get = await signIn(nordlys)
    expect(await status(get(salesUnitsPath, { Authorization: 'Bearer made-up' }))).toBe(401)
    expect(await status(get(salesUnitsPath, { Authorization: '' }))).toBe(401)
  })

  test('the subscription key must match the token; with management credentials it is ignored', async () => {
    const partner = await signIn(nordlys)
    expect(await status(partner(salesUnitsPath, { 'Ocp-Apim-Subscription-Key': '' }))).toBe(401)
    const other = keysOf(fjordkasse)
    const otherKey = other.type === 'partner' ? other.subscriptionKey : ''
    expect(await status(partner(salesUnitsPath, { 'Ocp-Apim-Subscription-Key': otherKey }))).toBe(401)
    const merchant = await signIn(acme)
    expect(await status(merchant(salesUnitsPath, { 'Ocp-Apim-Subscription-Key': 'any' }))).toBe(200)
  })

  test('sales unit credentials need their own MSN', async () => {
    const get = await signIn(cafe)
    expect(await msns(get)).toEqual(['140512'])
    expect(await status(get(salesUnitsPath, { 'Merchant-Serial-Number': '' }))).toBe(400)
    expect(await status(get(salesUnitsPath, { 'Merchant-Serial-Number': '123456' }))).toBe(403)
    expect(await status(get(salesUnitsPath, { 'Merchant-Serial-Number': 'x' }))).toBe(400)
  })
})

describe('isolation', () => {
  test('a partner sees its active sales units and no other', async () => {
    const get = await signIn(nordlys)
    const seen = await msns(get)
    expect(seen).toHaveLength(12)
    expect(seen).toContain('123456')
    const large = await msns(await signIn(fjordkasse))
    expect(large).toHaveLength(20)
    const hidden = ['125000', '160404', '124999', '290001', large[0] ?? '']
    expect(seen.filter((msn) => hidden.includes(msn))).toEqual([])
    expect(await statuses(get, ...hidden.map((msn) => `${salesUnitsPath}/${msn}`))).toEqual(hidden.map(() => 404))
    expect(await json(get(`${salesUnitsPath}/231777`))).toMatchObject({
      msn: '231777',
      name: "Ole's Gym",
      businessIdentifier: { scheme: 'business:DK:CVR', id: '92345678' },
      configuration: { tippingAllowed: true },
    })
  })

  test('a partner sees merchants with an active sales unit of its own', async () => {
    const get = await signIn(nordlys)
    expect(await json(get('/management/v1/merchants/business:NO:ORG/311900456'))).toMatchObject({
      name: 'ACME Fantastic Fitness AS',
    })
    expect(await msns(get, '/management/v1/merchants/business:NO:ORG/311900456/sales-units')).toEqual([
      '123456',
      '123789',
      '124680',
    ])
    const deactivated = '/management/v1/merchants/business:NO:ORG/316770373'
    const unconnected = '/management/v1/merchants/business:FI:Y-tunnus/9234567-8'
    expect(
      await statuses(get, deactivated, `${deactivated}/sales-units`, unconnected, `${unconnected}/sales-units`),
    ).toEqual([404, 404, 404, 404])
    const other = await signIn(fjordkasse)
    expect(await status(other('/management/v1/merchants/business:NO:ORG/311900456'))).toBe(404)
  })

  test('a merchant sees only itself, with the sales units of all its partners', async () => {
    const get = await signIn(acme)
    expect(await msns(get)).toEqual(['123456', '123789', '124680', '124999'])
    expect(await status(get('/management/v1/merchants/business:NO:ORG/311900456'))).toBe(200)
    expect(await status(get('/management/v1/merchants/business:DK:CVR/91234567'))).toBe(404)
    expect(await status(get(`${salesUnitsPath}/230001`))).toBe(404)
    expect(await status(get('/management/v2/product-orders'))).toBe(204)
    expect(await status(get('/management/v1/partners/price-packages'))).toBe(403)
    expect(await status(get('/management/v1/product-order-templates'))).toBe(404)
  })

  test('product orders are those of the partner; expired ones on request', async () => {
    const get = await signIn(nordlys)
    const listed = await json(get('/management/v2/product-orders'))
    expect(listed).toHaveLength(33)
    expect(await json(get('/management/v2/product-orders?includeExpired=true'))).toHaveLength(38)
    const details = `/management/v2/product-orders/${listed[0].productOrderId}/details`
    expect(await json(get(details))).toEqual(listed[0])
    expect(await status((await signIn(fjordkasse))(details))).toBe(404)
  })

  test('price packages and templates are those of the partner', async () => {
    const small = await signIn(nordlys)
    const large = await signIn(fjordkasse)
    expect(await json(small('/management/v1/partners/price-packages'))).toHaveLength(8)
    expect(await json(large('/management/v1/partners/price-packages'))).toHaveLength(6)
    expect(await json(small('/management/v1/product-order-templates'))).toHaveLength(5)
    expect(await status(large('/management/v1/product-order-templates'))).toBe(404)
  })

  test('webhooks are the own ones, or those of one visible sales unit', async () => {
    const partner = await signIn(nordlys)
    expect(await urls(partner)).toHaveLength(3)
    expect(await urls(partner, { 'Merchant-Serial-Number': '123456' })).toContain('https://acme-fitness.example/doors')
    expect(await status(partner('/webhooks/v1/webhooks', { 'Merchant-Serial-Number': '290001' }))).toBe(404)
    expect(await status(partner('/webhooks/v1/webhooks', { 'Merchant-Serial-Number': '125000' }))).toBe(404)
    expect(await status(partner('/webhooks/v1/webhooks', { 'Merchant-Serial-Number': '28123' }))).toBe(204)
    expect(await urls(await signIn(acme))).toEqual(['https://acme-fitness.example/webhooks/all'])
    expect(await urls(await signIn(cafe))).toEqual(['https://cafe-orsta.example/vipps'])
    expect(await urls(await signIn(sauna), { 'Merchant-Serial-Number': '290001' })).toHaveLength(1)
  })

  test('a sales unit deactivated while the API runs disappears at once, and so does its merchant', async () => {
    const get = await signIn(nordlys)
    const unit = world.salesUnits.find(({ body }) => body.msn === '231777')!
    unit.active = false
    expect(await msns(get)).not.toContain('231777')
    expect(await status(get(`${salesUnitsPath}/231777`))).toBe(404)
    expect(await status(get('/management/v1/merchants/business:DK:CVR/92345678'))).toBe(404)
    world.salesUnits.push({ ...unit, active: true, body: { ...unit.body, msn: '231778' } })
    expect(await status(get(`${salesUnitsPath}/231778`))).toBe(200)
  })

  test('changes of the world while the API runs are visible at once', async () => {
    const get = await signIn(nordlys)
    const forUnit = { 'Merchant-Serial-Number': '230001' }
    expect(await urls(get, forUnit)).toHaveLength(1)
    const body = { id: 'new', url: 'https://new.example/', events: [] }
    world.webhooks.push({ registeredFor: 'msn/230001', body })
    expect(await urls(get, forUnit)).toHaveLength(2)
    body.url = 'https://changed.example/'
    expect(await urls(get, forUnit)).toContain('https://changed.example/')
    world.webhooks.splice(-1, 1)
    expect(await urls(get, forUnit)).toHaveLength(1)

    const order = world.productOrders.find(({ partnerId }) => partnerId === '12345')!
    const details = `/management/v2/product-orders/${order.body.productOrderId}/details`
    expect(await json(get(details))).toMatchObject({ status: order.body.status })
    order.body.status = 'REJECTED'
    expect(await json(get(details))).toMatchObject({ status: 'REJECTED' })
    world.productOrders.splice(world.productOrders.indexOf(order), 1)
    expect(await status(get(details))).toBe(404)

    const merchant = world.merchants.find(({ body: { name } }) => name === "Ole's Gym ApS")!
    merchant.body.status = 'DEACTIVATED'
    expect(await msns(get)).not.toContain('231777')
    merchant.body.status = 'ACTIVE'
    expect(await msns(get)).toContain('231777')
    world.merchants.splice(world.merchants.indexOf(merchant), 1)
    expect(await msns(get)).not.toContain('231777')
  })
})

describe('oddities', () => {
  test('every seventh row of a list has its msn as a number', async () => {
    const rows = await json((await signIn(fjordkasse))(salesUnitsPath))
    const numbers = rows.flatMap(({ msn }: { msn: unknown }, index: number) => (typeof msn === 'number' ? index : []))
    expect(numbers).toEqual([6, 13])
    expect(rows.every(({ msn }: { msn: unknown }) => ['string', 'number'].includes(typeof msn))).toBe(true)
  })

  test('every seventh order with a sales unit has its msn as a number in the list, but not in its details', async () => {
    const get = await signIn(nordlys)
    const orders = await json(get('/management/v2/product-orders'))
    const odd = orders.filter((row: { salesUnit?: { msn: unknown } }) => typeof row.salesUnit?.msn === 'number')
    expect(odd).toHaveLength(1)
    const details = await json(get(`/management/v2/product-orders/${odd[0].productOrderId}/details`))
    expect(details.salesUnit.msn).toBe(String(odd[0].salesUnit.msn))
  })

  test.each([
    salesUnitsPath,
    '/management/v2/product-orders',
    '/management/v1/partners/price-packages',
    '/management/v1/product-order-templates',
    '/webhooks/v1/webhooks',
  ])('a partner without anything gets 204 without a body: %s', async (path) => {
    const answer = await (await signIn(empty))(path)
    expect(answer.status).toBe(204)
    expect(await answer.text()).toBe('')
  })

  test.each([
    [400, `${salesUnitsPath}/abc`],
    [400, `${salesUnitsPath}/123`],
    [400, `${salesUnitsPath}/%E0%A4%A`],
    [400, '/management/v1/merchants/NO:ORG/311900456'],
    [400, '/management/v1/merchants/business:NO:ORG/x'],
    [400, '/management/v2/product-orders/1/details'],
    [400, '/management/v2/product-orders?includeExpired=perhaps'],
    [404, '/management/v2/product-orders/00000000-0000-4000-8000-000000000000/details'],
    [404, '/management/v1/partners'],
  ])('%i problem for %s', async (expected, path) => {
    const answer = await (await signIn(nordlys))(path)
    expect(answer.status).toBe(expected)
    expect(answer.headers.get('Content-Type')).toContain('application/problem+json')
    expect(await answer.json()).toMatchObject({ status: expected, traceId: expect.any(String) })
  })
})

/** Sequential requests, so that the order of the statuses is deterministic. */
async function sixtyTimes(failRate: number): Promise<number[]> {
  const get = await signIn(nordlys)
  api.faults.failRate = failRate
  const seen: number[] = []
  while (seen.length < 60) seen.push(await status(get(salesUnitsPath)))
  return seen
}

describe('faults', () => {
  test('faults can be set at the start', async () => {
    await stop()
    await start({ faults: { down: true } })
    await expect(requestToken(keysOf(nordlys))).rejects.toThrow(TypeError)
  })

  test('latency', async () => {
    const get = await signIn(nordlys)
    api.faults.latencyMs = 120
    const before = performance.now()
    await get(salesUnitsPath)
    expect(performance.now() - before).toBeGreaterThanOrEqual(115)
  })

  test('down closes connections, and can be cleared', async () => {
    const get = await signIn(nordlys)
    api.faults.down = true
    await expect(get(salesUnitsPath)).rejects.toThrow(TypeError)
    api.faults.down = false
    expect(await status(get(salesUnitsPath))).toBe(200)
    expect(api.requests.map((request) => request.status)).toEqual([200, 0, 200])
  })

  test('rate limit: 429, every second one with Retry-After', async () => {
    const get = await signIn(nordlys)
    api.faults.rateLimitPerSecond = 3
    api.faults.retryAfterSeconds = 7
    const answers = await Promise.all(Array.from({ length: 9 }, () => get(salesUnitsPath)))
    const refused = answers.filter((answer) => answer.status === 429)
    expect(refused).toHaveLength(6)
    expect(refused.filter((answer) => answer.headers.get('Retry-After') === '7')).toHaveLength(3)
    expect(refused.filter((answer) => !answer.headers.has('Retry-After'))).toHaveLength(3)
    api.faults.rateLimitPerSecond = null
    expect(await status(get(salesUnitsPath))).toBe(200)
  })

  test('rate limit: each organisation has its own, which includes token calls', async () => {
    const [one, other] = [await signIn(nordlys), await signIn(acme)]
    api.faults.rateLimitPerSecond = 2
    expect(await status(requestToken(keysOf(nordlys)))).toBe(200)
    expect(await statuses(one, salesUnitsPath, salesUnitsPath)).toEqual([200, 429])
    expect(await status(requestToken(keysOf(acme)))).toBe(200)
    expect(await statuses(other, salesUnitsPath, salesUnitsPath)).toEqual([200, 429])
  })

  test('fail rate: that share of the responses fails, the same ones in every run', async () => {
    const first = await sixtyTimes(0.3)
    const failed = first.filter((code) => code !== 200)
    expect(failed.length).toBeGreaterThan(8)
    expect(failed.length).toBeLessThan(30)
    expect(failed.every((code) => [500, 502, 503, 423].includes(code))).toBe(true)
    await stop()
    await start()
    expect(await sixtyTimes(0.3)).toEqual(first)
  })

  test('override replaces the response, and receives the number of the attempt', async () => {
    const get = await signIn(nordlys)
    api.faults.override = ({ method, path, msn, attempt }) => {
      if (path.startsWith('/webhooks') && msn === '123456') return { status: 502, body: '<h1>Bad gateway</h1>' }
      if (method === 'GET' && path === salesUnitsPath && attempt < 3)
        return { status: 503, headers: { 'Retry-After': '1' }, body: { title: 'Busy' } }
      return undefined
    }
    const html = await get('/webhooks/v1/webhooks', { 'Merchant-Serial-Number': '123456' })
    expect([html.status, html.headers.get('Content-Type')]).toEqual([502, 'text/html; charset=utf-8'])
    const first = await get(salesUnitsPath)
    expect([first.status, first.headers.get('Retry-After')]).toEqual([503, '1'])
    expect(await first.json()).toEqual({ title: 'Busy' })
    expect(await status(get(salesUnitsPath))).toBe(503)
    expect(await status(get(salesUnitsPath))).toBe(200)
    api.faults.override = ({ attempt }) => (attempt === 1 ? { status: 500 } : undefined)
    expect(await status(get(salesUnitsPath))).toBe(500)
    expect(await status(get(salesUnitsPath))).toBe(200)
  })

  test('revoked tokens are 401, a new one works', async () => {
    const get = await signIn(nordlys)
    api.faults.revokeTokens()
    expect(await status(get(salesUnitsPath))).toBe(401)
    expect(await status((await signIn(nordlys))(salesUnitsPath))).toBe(200)
  })
})

test('only the last 10 000 requests are kept', async () => {
  const get = await signIn(nordlys)
  const [oldest] = api.requests
  if (!oldest) throw new Error('nothing recorded')
  api.requests.push(...Array.from({ length: 9_999 }, () => ({ ...oldest })))
  await get(salesUnitsPath)
  expect(api.requests).toHaveLength(10_000)
  expect(api.requests).not.toContain(oldest)
  expect(api.requests.at(-1)).toMatchObject({ path: salesUnitsPath })
})

test('requests are recorded and logged, without secrets', async () => {
  const get = await signIn(nordlys)
  await get('/management/v2/product-orders?includeExpired=true', { 'Merchant-Serial-Number': '123456' })
  await requestToken(keysOf(nordlys), { client_secret: 'wrong' })
  expect(api.requests).toMatchObject([
    { method: 'POST', path: '/accesstoken/get', status: 200, organisation: nordlys },
    {
      method: 'GET',
      path: '/management/v2/product-orders?includeExpired=true',
      status: 200,
      organisation: nordlys,
      headers: { merchantSerialNumber: '123456', systemName: 'Partner portal' },
    },
    { method: 'POST', path: '/accesstoken/get', status: 401, organisation: undefined },
  ])
  expect(log.match(/"path"/g)).toHaveLength(3)
  const { clientId, clientSecret } = keysOf(nordlys)
  for (const secret of [clientId, clientSecret, 'demo-subscription', 'demo-token']) {
    expect(log + JSON.stringify(api.requests)).not.toContain(secret)
  }
})
