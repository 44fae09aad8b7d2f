import { expect, test } from 'vitest'
import { UpstreamRefusedError, UpstreamUnavailableError } from '../../src/errors.ts'
import { listSalesUnits } from '../../src/management-api/sales-units.ts'
import { createTokens } from '../../src/management-api/tokens.ts'
import { createFixture, keys, rejection, salesUnitsPath } from '../support/management-api-client.ts'

const tokenPath = '/accesstoken/get'

test('one token serves many calls, and concurrent calls cause one token call', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { body: [] })
  await Promise.all(Array.from({ length: 8 }, () => listSalesUnits(client)))
  await listSalesUnits(client)
  expect(upstream.to(tokenPath)).toHaveLength(1)
  expect(upstream.to(salesUnitsPath)).toHaveLength(9)
})

test.each([
  ['24 h: a minute before', 86_400, 86_400_000 - 60_001, 86_400_000 - 59_999],
  ['100 s: a tenth before', 100, 89_999, 90_001],
])('a token is replaced before it expires, %s', async (_name, tokenLifetime, early, late) => {
  let now = 1_700_000_000_000
  const start = now
  const { client, upstream } = await createFixture({ tokenLifetime, now: () => now })
  upstream.answer(salesUnitsPath, { body: [] })
  await listSalesUnits(client)
  now = start + early
  await listSalesUnits(client)
  expect(upstream.to(tokenPath)).toHaveLength(1)
  now = start + late
  await listSalesUnits(client)
  await expect.poll(() => upstream.to(tokenPath).length).toBe(2)
  await listSalesUnits(client)
  expect(upstream.to(tokenPath)).toHaveLength(2)
  expect(upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${upstream.tokens[1]}`)
})

test('an expired token is never sent', async () => {
  let now = 0
  const { client, upstream } = await createFixture({
    tokenLifetime: 900,
    keys: keys.management,
    now: () => now,
  })
  upstream.answer(salesUnitsPath, { body: [] })
  await listSalesUnits(client)
  now = 900_000
  await listSalesUnits(client)
  expect(upstream.requests.map(({ headers }) => headers.authorization).at(-1)).toBe(`Bearer ${upstream.tokens[1]}`)
})

test('a token that expires while its call waits for a permit is replaced before the call is sent', async () => {
  let now = 0
  const { client, upstream } = await createFixture({
    tokenLifetime: 100,
    limits: { maxConcurrency: 1 },
    now: () => now,
  })
  upstream.answer(salesUnitsPath, { body: [], delayMs: 50 }, { body: [] })
  const calls = Array.from({ length: 6 }, () => listSalesUnits(client))
  await expect.poll(() => upstream.to(salesUnitsPath).length).toBe(1)
  now = 100_000
  await Promise.all(calls)
  const used = upstream.to(salesUnitsPath).map(({ headers }) => headers.authorization)
  expect(used).toEqual([1, 2, 2, 2, 2, 2].map((number) => `Bearer token-very-secret-${number}`))
})

test.each([400, 401, 403])('a %i of the token endpoint is a refusal of the credentials', async (status) => {
  const { client, upstream } = await createFixture()
  upstream.answer(tokenPath, { status, body: { error: 'invalid_client' } })
  const error = await rejection(listSalesUnits(client))
  expect(error).toBeInstanceOf(UpstreamRefusedError)
  expect(error).toMatchObject({ failure: { purpose: 'token', status, title: 'invalid_client' } })
})

test.each([
  [404, { status: 404 }],
  [500, { status: 500 }],
  [200, { body: '<html>' }],
  [200, { body: { access_token: 'x' } }],
  [200, { body: { access_token: 'x', expires_in: 'soon' } }],
  [200, { body: { access_token: 'x', expires_in: 0 } }],
  [undefined, { cut: true }],
])('another failure of the token endpoint (%s, %o) is not a refusal', async (status, answer) => {
  const { client, upstream } = await createFixture()
  upstream.answer(tokenPath, answer)
  const error = await rejection(listSalesUnits(client))
  expect(error).toBeInstanceOf(UpstreamUnavailableError)
  expect(error).toMatchObject({ failure: { purpose: 'token', status } })
})

test('after a failure the token endpoint is not called during a pause', async () => {
  let now = 0
  const { client, upstream } = await createFixture({ now: () => now })
  upstream.answer(salesUnitsPath, { body: [] })
  upstream.answer(tokenPath, { status: 503 }, { body: { access_token: 'late', expires_in: 100 } })
  await Promise.all(Array.from({ length: 20 }, () => rejection(listSalesUnits(client))))
  expect(upstream.to(tokenPath)).toHaveLength(1)
  now = 999
  await rejection(listSalesUnits(client))
  expect(upstream.to(tokenPath)).toHaveLength(1)
  now = 1000
  await listSalesUnits(client)
  expect(upstream.to(tokenPath)).toHaveLength(2)
})

test('the pause after a failure doubles up to a minute, is longer for refused credentials, and ends with a success', async () => {
  let now = 0
  let status = 503
  let asked = 0
  const tokens = createTokens(
    async () => {
      asked += 1
      if (status === 200) return { ok: true, status, body: Buffer.from('{"access_token":"x","expires_in":1}') }
      return { ok: false, status, reason: 'test' }
    },
    () => now,
  )
  const pauseAfterFailure = async (): Promise<number> => {
    await rejection(tokens.get())
    const [failedAt, before] = [now, asked]
    for (;;) {
      now += 1000
      await tokens.get().catch(() => {})
      if (asked > before) break
    }
    const pause = now - failedAt
    return pause
  }
  // Each measurement ends with one more failure, which doubles the pause.
  expect(await pauseAfterFailure()).toBe(1000)
  now += 1_000_000
  expect(await pauseAfterFailure()).toBe(4000)
  now += 1_000_000
  expect(await pauseAfterFailure()).toBe(16_000)
  now += 1_000_000
  expect(await pauseAfterFailure()).toBe(60_000)
  now += 1_000_000
  status = 200
  await tokens.get()
  now += 1_000_000
  status = 401
  expect(await pauseAfterFailure()).toBe(10_000)
})

test('a failed refresh is harmless while the old token is valid', async () => {
  let now = 0
  const { client, upstream } = await createFixture({ tokenLifetime: 100, now: () => now })
  upstream.answer(salesUnitsPath, { body: [] })
  await listSalesUnits(client)
  upstream.answer(tokenPath, { status: 500 })
  now = 95_000
  await listSalesUnits(client)
  await expect.poll(() => upstream.to(tokenPath).length).toBe(2)
  await listSalesUnits(client)
  now = 100_000
  expect(await rejection(listSalesUnits(client))).toBeInstanceOf(UpstreamUnavailableError)
})

test('a caller that aborts does not abort the shared token call', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { body: [] })
  upstream.answer(tokenPath, { delayMs: 300, body: { access_token: 'x', expires_in: 100 } })
  const controller = new AbortController()
  const impatient = rejection(listSalesUnits(client, { signal: controller.signal }))
  const patient = listSalesUnits(client)
  const reason = new Error('enough')
  const started = performance.now()
  controller.abort(reason)
  expect(await impatient).toBe(reason)
  expect(performance.now() - started).toBeLessThan(200)
  expect(upstream.to(tokenPath).length).toBeLessThanOrEqual(1)
  expect(await patient).toEqual({ rows: [], malformed: [] })
  expect(upstream.to(tokenPath)).toHaveLength(1)
})
