import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { UpstreamUnavailableError } from '../../src/errors.ts'
import { createHolds } from '../../src/management-api/holds.ts'
import { createLimiter } from '../../src/management-api/limiter.ts'
import { retryAfterMs } from '../../src/management-api/problem.ts'
import { getSalesUnit, listSalesUnits } from '../../src/management-api/sales-units.ts'
import { createFixture, rejection, salesUnitsPath } from './fixture.ts'

const unit = { msn: '1234', name: 'x', businessIdentifier: { scheme: 'business:NO:ORG', id: '987654321' } }
const pathOf = (msn: string) => `${salesUnitsPath}/${msn}`

const times = <T>(count: number, call: () => Promise<T>): Promise<T>[] => Array.from({ length: count }, call)
const mostWithin = (windowMs: number, starts: readonly number[]): number =>
  Math.max(...starts.map((time) => starts.filter((later) => later >= time && later - time < windowMs).length))

test('never more than maxPerSecond starts in any one second, and as many where there are enough', async () => {
  const limiter = createLimiter({ maxPerSecond: 5, maxConcurrency: 50 })
  const starts: number[] = []
  const start = () => limiter.run(async () => starts.push(performance.now()), { priority: 0 })
  // Most of them late in the first one's second: fixed windows would let 8 through around their boundary.
  const early = times(2, start)
  await sleep(900)
  await Promise.all([...early, ...times(8, start)])
  expect(starts).toHaveLength(10)
  expect(mostWithin(1000, starts)).toBe(5)
})

test('token calls and retries count as well', async () => {
  const { client, upstream } = await createFixture({ limits: { maxPerSecond: 5, maxConcurrency: 50 } })
  upstream.answer(salesUnitsPath, { status: 500 }, { status: 500 }, { body: [] })
  const call = () => listSalesUnits(client)
  await Promise.all(times(2, call))
  expect(upstream.requests).toHaveLength(5)
  await Promise.all(times(3, call))
  const [first = 0, sixth = 0] = [0, 5].map((index) => upstream.requests[index]?.at)
  // Between arrivals, not starts: the way there does not always take as long.
  expect(sixth - first).toBeGreaterThan(900)
})

test('never more than maxConcurrency under way, and not fewer when there is enough to do', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 3 } })
  upstream.answer(salesUnitsPath, { body: [], delayMs: 20 })
  await Promise.all(Array.from({ length: 12 }, () => listSalesUnits(client)))
  expect(upstream.peak()).toBe(3)
})

test('with one call at a time a new token still gets through', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 1 } })
  upstream.answer(salesUnitsPath, { status: 401 }, { body: [] })
  await Promise.all(Array.from({ length: 3 }, () => listSalesUnits(client)))
  expect(upstream.peak()).toBe(1)
})

test('who waits for a page goes before what is read in the background', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 1 } })
  upstream.answer(salesUnitsPath, { body: [] })
  await listSalesUnits(client)
  const calls = ['1001', '1002', '1003', '1004'].map((msn) => {
    upstream.answer(pathOf(msn), { body: unit, delayMs: 30 })
    return getSalesUnit(client, msn, { priority: Number(msn) > 1002 ? 'interactive' : 'background' })
  })
  await Promise.all(calls)
  const order = upstream.requests.slice(2).map(({ path }) => path.slice(-4))
  // The first one found nobody before it.
  expect(order).toEqual(['1001', '1003', '1004', '1002'])
})

test('a call that is given up while it waits is never sent', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 1 } })
  upstream.answer(salesUnitsPath, { body: [], delayMs: 1000 })
  const first = listSalesUnits(client)
  await expect.poll(() => upstream.to(salesUnitsPath).length).toBe(1)
  const reason = new Error('enough')
  expect(await rejection(getSalesUnit(client, '1001', { signal: AbortSignal.abort(reason) }))).toBe(reason)
  const controller = new AbortController()
  const second = rejection(getSalesUnit(client, '1001', { signal: controller.signal }))
  setTimeout(() => controller.abort(reason), 20)
  expect(await second).toBe(reason)
  await first
  expect(upstream.to(pathOf('1001'))).toHaveLength(0)
})

test('waiting for a turn does not count as time out', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 1, timeoutMs: 300 } })
  upstream.answer(salesUnitsPath, { body: [], delayMs: 100 })
  await Promise.all(Array.from({ length: 5 }, () => listSalesUnits(client)))
  expect(upstream.to(salesUnitsPath)).toHaveLength(5)
})

test('Retry-After is kept, by every call for the same thing, and by no other', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 429, headers: { 'retry-after': '1' } }, { body: [] })
  upstream.answer(pathOf('1001'), { body: unit })
  const first = listSalesUnits(client)
  await expect.poll(() => upstream.to(salesUnitsPath).length).toBe(1)
  await sleep(50)
  await Promise.all([first, listSalesUnits(client), getSalesUnit(client, '1001')])
  const [refused = 0, ...later] = upstream.to(salesUnitsPath).map(({ at }) => at)
  expect(later).toHaveLength(2)
  for (const at of later) expect(at - refused).toBeGreaterThanOrEqual(998)
  expect((upstream.to(pathOf('1001'))[0]?.at ?? Infinity) - refused).toBeLessThan(500)
})

test('what waits in the queue when the API asks for a pause keeps it too', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 1 } })
  const answer = { status: 429, headers: { 'retry-after': '1' }, delayMs: 50 }
  upstream.answer(salesUnitsPath, answer, { body: [] })
  await Promise.all(times(3, () => listSalesUnits(client)))
  const [refused = 0, second = 0, ...rest] = upstream.to(salesUnitsPath).map(({ at }) => at)
  expect(rest).toHaveLength(2)
  expect(second - refused).toBeGreaterThanOrEqual(998)
})

test('Retry-After with anything but 429 makes nobody wait', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 503, headers: { 'retry-after': '20' } }, { body: [] })
  expect((await listSalesUnits(client)).rows).toEqual([])
})

test('a caller may give up while the API is left alone', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 429, headers: { 'retry-after': '20' } })
  const controller = new AbortController()
  const given = rejection(listSalesUnits(client, { signal: controller.signal }))
  await expect.poll(() => upstream.to(salesUnitsPath).length).toBe(1)
  await sleep(50)
  const reason = new Error('enough')
  controller.abort(reason)
  expect(await given).toBe(reason)
})

test('nobody waits for a Retry-After of more than 30 s: the call fails, and the next ones without being sent', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, {
    status: 429,
    headers: { 'retry-after': '31' },
    body: { title: 'Too many' },
  })
  const started = performance.now()
  const error = await rejection(listSalesUnits(client))
  expect(error).toBeInstanceOf(UpstreamUnavailableError)
  expect(error).toMatchObject({ failure: { status: 429, title: 'Too many' } })
  expect(await rejection(listSalesUnits(client))).toMatchObject({
    failure: { purpose: 'salesUnits', status: 429 },
  })
  expect(performance.now() - started).toBeLessThan(2000)
  expect(upstream.to(salesUnitsPath)).toHaveLength(1)
})

test('Retry-After is read as RFC 9110 has it, and anything else is nothing', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(retryAfterMs('120', now)).toBe(120_000)
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5000)
  expect(retryAfterMs('Wed, 31 Dec 2025 23:59:55 GMT', now)).toBe(0)
  expect(retryAfterMs('soon', now)).toBeUndefined()
  expect(retryAfterMs(null, now)).toBeUndefined()
})

test('a longer pause is not cut short by a shorter one, and none is longer than a minute', () => {
  const holds = createHolds()
  holds.hold('webhooks', 20_000)
  holds.hold('webhooks', 1000)
  expect(holds.left('webhooks')).toBeGreaterThan(15_000)
  holds.hold('webhooks', 86_400_000)
  expect(holds.left('webhooks')).toBeLessThanOrEqual(60_000)
  expect(holds.left('salesUnits')).toBe(0)
})
