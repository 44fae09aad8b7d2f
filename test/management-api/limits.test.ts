import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { DatabaseUnavailableError, UpstreamUnavailableError } from '../../src/errors.ts'
import { createLimiter } from '../../src/management-api/limiter.ts'
import { retryAfterMs } from '../../src/management-api/problem.ts'
import { getSalesUnit, listSalesUnits } from '../../src/management-api/sales-units.ts'
import { listWebhooks } from '../../src/management-api/webhooks.ts'
import { type Organisation, organisationKey } from '../../src/organisation.ts'
import {
  createFixture,
  newOrganisation,
  openDatabase,
  paceOf,
  rejection,
  salesUnitsPath,
  useDatabase,
} from './fixture.ts'

useDatabase()

const unit = { msn: '1234', name: 'x', businessIdentifier: { scheme: 'business:NO:ORG', id: '987654321' } }
const pathOf = (msn: string) => `${salesUnitsPath}/${msn}`
const timeoutMs = 10_000
const webhooksPath = '/webhooks/v1/webhooks'

const times = <T>(count: number, call: (index: number) => Promise<T>): Promise<T>[] =>
  Array.from({ length: count }, (_, index) => call(index))
const mostWithin = (windowMs: number, starts: readonly number[]): number =>
  Math.max(...starts.map((time) => starts.filter((later) => later >= time && later - time < windowMs).length))

/** As if so many seconds had gone by for the turns of an organisation. */
const later = async (organisation: Organisation, seconds: number): Promise<void> => {
  await sql`
    update api_pace set held_until = held_until - ${seconds}::float8 * interval '1 second',
      slowed_at = slowed_at - ${seconds}::float8 * interval '1 second'
    where organisation = ${organisationKey(organisation)}`.execute(openDatabase().kysely)
}

test('never more than maxPerSecond starts in any one second, and as many where there are enough', async () => {
  const limits = { maxPerSecond: 5, maxConcurrency: 50, timeoutMs }
  const limiter = createLimiter(paceOf(newOrganisation(), limits), limits.maxPerSecond)
  const starts: number[] = []
  const start = async () => {
    const turn = await limiter.turn({ priority: 0 })
    starts.push(performance.now())
    if (typeof turn === 'object') turn.end('answered')
  }
  // Most of them late in the first one's second: fixed windows would let 8 through around their boundary.
  const early = times(2, start)
  await sleep(900)
  await Promise.all([...early, ...times(8, start)])
  expect(starts).toHaveLength(10)
  expect(mostWithin(1000, starts)).toBeLessThanOrEqual(5)
  expect(mostWithin(1150, starts)).toBeGreaterThanOrEqual(5)
})

test('two instances of the portal keep to one rate, and each gets its part', async () => {
  const limits = { maxPerSecond: 10, maxConcurrency: 50, timeoutMs }
  const organisation = newOrganisation()
  const starts: { readonly at: number; readonly by: string }[] = []
  const startsOf = async (by: string): Promise<unknown> => {
    const limiter = createLimiter(paceOf(organisation, limits), limits.maxPerSecond)
    return Promise.all(
      times(12, async () => {
        const turn = await limiter.turn({ priority: 0 })
        starts.push({ at: performance.now(), by })
        if (typeof turn === 'object') turn.end('answered')
      }),
    )
  }
  await Promise.all([startsOf('one'), startsOf('other')])
  expect(starts).toHaveLength(24)
  // An instance that is late with one meets the other's next: what is kept is the distance in the long run.
  const all = starts.map(({ at }) => at).toSorted((a, b) => a - b)
  expect((all.at(-1) ?? 0) - (all[0] ?? 0)).toBeGreaterThan(23 * 95)
  for (const by of ['one', 'other'])
    expect(starts.slice(0, 16).filter((start) => start.by === by).length).toBeGreaterThan(3)
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
  upstream.answer(salesUnitsPath, { body: [], delayMs: 50 })
  await Promise.all(times(12, () => listSalesUnits(client)))
  expect(upstream.peak()).toBe(3)
})

test('two instances together neither', async () => {
  const one = await createFixture({ limits: { maxConcurrency: 3 } })
  const other = await createFixture({ limits: { maxConcurrency: 3 }, beside: one })
  one.upstream.answer(salesUnitsPath, { body: [], delayMs: 50 })
  await Promise.all([one, other].flatMap(({ client }) => times(8, () => listSalesUnits(client))))
  expect(one.upstream.to(salesUnitsPath)).toHaveLength(16)
  expect(one.upstream.peak()).toBe(3)
})

test('instances that ask at the very same moment are given no more than there is', async () => {
  const limits = { maxPerSecond: 1000, maxConcurrency: 5, timeoutMs }
  for (let round = 0; round < 20; round += 1) {
    const organisation = newOrganisation()
    await paceOf(organisation, limits).lease({ wanted: 0, inFlight: 0, atOnce: 0 })
    const leases = await Promise.all(
      times(4, () => paceOf(organisation, limits).lease({ wanted: 1, inFlight: 0, atOnce: 5 })),
    )
    expect(leases.reduce((sum, { atOnce }) => sum + atOnce, 0)).toBeLessThanOrEqual(5)
  }
})

test('an instance that was killed holds its calls in flight for as long as they may take, and no longer', async () => {
  const organisation = newOrganisation()
  const limits = { maxPerSecond: 1000, maxConcurrency: 2, timeoutMs }
  await paceOf(organisation, limits).lease({ wanted: 2, inFlight: 0, atOnce: 10 })
  const other = paceOf(organisation, limits)
  expect(await other.lease({ wanted: 1, inFlight: 0, atOnce: 10 })).toMatchObject({ count: 0, down: false })
  const limitSeconds = timeoutMs / 1000
  const age = async (seconds: number) =>
    sql`
    update api_pace set in_flight = (
      select jsonb_object_agg(key, jsonb_build_array(value->0, (value->>1)::float8 - ${seconds}::float8)) from jsonb_each(in_flight))
    where organisation = ${organisationKey(organisation)}`.execute(openDatabase().kysely)
  await age(limitSeconds - 3)
  expect(await other.lease({ wanted: 1, inFlight: 0, atOnce: 10 })).toMatchObject({ count: 0, down: false })
  await age(5)
  expect(await other.lease({ wanted: 1, inFlight: 0, atOnce: 10 })).toMatchObject({ count: 1, down: false })
})

test('with one call at a time a new token still gets through', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 1 } })
  upstream.answer(salesUnitsPath, { status: 401 }, { body: [] })
  await Promise.all(times(3, () => listSalesUnits(client)))
  expect(upstream.peak()).toBe(1)
})

test('who waits for a page goes before a list, and that before what is read in the background', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 1 } })
  upstream.answer(salesUnitsPath, { body: [], delayMs: 100 }, { body: [] })
  // While this one is under way, the others wait for its turn.
  const first = listSalesUnits(client)
  await expect.poll(() => upstream.to(salesUnitsPath).length).toBe(1)
  const priorities = ['background', 'background', 'list', 'interactive', 'list', 'interactive'] as const
  const calls = priorities.map((priority, index) => {
    const msn = String(1001 + index)
    upstream.answer(pathOf(msn), { body: unit })
    return getSalesUnit(client, msn, { priority })
  })
  await Promise.all([first, ...calls])
  const order = upstream.requests.slice(2).map(({ path }) => path.slice(-4))
  expect(order).toEqual(['1004', '1006', '1003', '1005', '1001', '1002'])
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
  await Promise.all(times(5, () => listSalesUnits(client)))
  expect(upstream.to(salesUnitsPath)).toHaveLength(5)
})

test('a database that cannot be asked for turns is not the API’s fault', async () => {
  const { client, upstream } = await createFixture({
    pace: {
      ...paceOf(newOrganisation(), { maxPerSecond: 5, maxConcurrency: 5, timeoutMs }),
      lease: () => Promise.reject(new DatabaseUnavailableError('gone')),
    },
  })
  const errors = await Promise.all(times(3, () => rejection(listSalesUnits(client))))
  for (const error of errors) expect(error).toBeInstanceOf(DatabaseUnavailableError)
  expect(upstream.requests).toHaveLength(0)
})

test('Retry-After is kept by every call of the organisation on every instance, and by no other organisation', async () => {
  const one = await createFixture()
  const instance = await createFixture({ beside: one })
  const stranger = await createFixture()
  one.upstream.answer(salesUnitsPath, { status: 429, headers: { 'retry-after': '1' } }, { body: [] })
  one.upstream.answer(webhooksPath, { body: { webhooks: [] } })
  stranger.upstream.answer(salesUnitsPath, { body: [] })
  const first = listSalesUnits(one.client)
  await expect.poll(() => one.upstream.to(salesUnitsPath).length).toBe(1)
  await sleep(50)
  const began = performance.now()
  await Promise.all([
    first,
    listWebhooks(one.client),
    listWebhooks(instance.client),
    listSalesUnits(stranger.client),
  ])
  const [refused = 0, again = 0] = one.upstream.to(salesUnitsPath).map(({ at }) => at)
  const others = one.upstream.to(webhooksPath).map(({ at }) => at)
  expect(others).toHaveLength(2)
  for (const at of [again, ...others]) expect(at - refused).toBeGreaterThanOrEqual(998)
  expect((stranger.upstream.to(salesUnitsPath)[0]?.at ?? Infinity) - began).toBeLessThan(600)
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

test('a 429 takes a quarter off the rate, many at once once, and it comes back in a while', async () => {
  const limits = { maxPerSecond: 10, maxConcurrency: 50, timeoutMs }
  const organisation = newOrganisation()
  const pace = paceOf(organisation, limits)
  const step = async (): Promise<number> => (await pace.lease({ wanted: 1, inFlight: 0, atOnce: 10 })).stepMs
  expect(await step()).toBeCloseTo(101, 3)
  await Promise.all(times(5, async () => pace.slowDown(0)))
  expect(await step()).toBeGreaterThan(128)
  await later(organisation, 4)
  const onTheWay = await step()
  expect(onTheWay).toBeLessThan(121)
  expect(onTheWay).toBeGreaterThan(103)
  await later(organisation, 26)
  expect(await step()).toBeCloseTo(101, 3)
})

test('calls are slower after a 429 without Retry-After, which is left alone for a second', async () => {
  const { client, upstream } = await createFixture({ limits: { maxPerSecond: 20, maxConcurrency: 50 } })
  upstream.answer(salesUnitsPath, { status: 429 }, { body: [] })
  await Promise.all(times(40, () => listSalesUnits(client)))
  const [refused = 0, ...all] = upstream.to(salesUnitsPath).map(({ at }) => at)
  const after = all.filter((at) => at - refused > 900)
  // Some were under way when it came: more on a busy machine.
  expect(after.length).toBeGreaterThan(10)
  for (const at of after) expect(at - refused).toBeGreaterThanOrEqual(998)
  const steps = (after.at(-1) ?? 0) - (after[0] ?? 0)
  expect(steps / (after.length - 1)).toBeGreaterThan(1.15 * 50)
})

test('Retry-After with anything but 429 makes nobody wait', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 503, headers: { 'retry-after': '20' } }, { body: [] })
  const began = performance.now()
  expect((await listSalesUnits(client)).rows).toEqual([])
  expect(performance.now() - began).toBeLessThan(10_000)
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
  upstream.answer(salesUnitsPath, { status: 429, headers: { 'retry-after': '33' } })
  const started = performance.now()
  const error = await rejection(listSalesUnits(client))
  expect(error).toBeInstanceOf(UpstreamUnavailableError)
  expect(error).toMatchObject({ failure: { purpose: 'salesUnits', status: 429 } })
  expect(await rejection(getSalesUnit(client, '1001'))).toMatchObject({
    failure: { purpose: 'salesUnit', status: 429 },
  })
  expect(performance.now() - started).toBeLessThan(10_000)
  expect(upstream.to(salesUnitsPath)).toHaveLength(1)
  expect(upstream.to(pathOf('1001'))).toHaveLength(0)
})

test('Retry-After is read as RFC 9110 has it, and anything else is nothing', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(retryAfterMs('120', now)).toBe(120_000)
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5000)
  expect(retryAfterMs('Wed, 31 Dec 2025 23:59:55 GMT', now)).toBe(0)
  expect(retryAfterMs('soon', now)).toBeUndefined()
  expect(retryAfterMs(null, now)).toBeUndefined()
})

test('a longer pause is not cut short by a shorter one, and none is longer than a minute', async () => {
  const limits = { maxPerSecond: 1000, maxConcurrency: 10, timeoutMs }
  const pace = paceOf(newOrganisation(), limits)
  await pace.lease({ wanted: 0, inFlight: 0, atOnce: 10 })
  await pace.slowDown(20_000)
  await pace.slowDown(1000)
  expect((await pace.lease({ wanted: 1, inFlight: 0, atOnce: 10 })).waitMs).toBeGreaterThan(15_000)

  const { client, upstream, organisation } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 429, headers: { 'retry-after': '86400' } })
  await rejection(listSalesUnits(client))
  const { waitMs } = await paceOf(organisation, limits).lease({ wanted: 1, inFlight: 0, atOnce: 10 })
  expect(waitMs).toBeGreaterThan(40_000)
  expect(waitMs).toBeLessThan(61_000)
})

/** Lets the API fail until it counts as down. */
const fell = async () => {
  const fixture = await createFixture()
  const { client, upstream } = fixture
  upstream.answer(salesUnitsPath, { body: [] })
  await listSalesUnits(client)
  upstream.answer(salesUnitsPath, { status: 503 })
  const calls = () => upstream.to(salesUnitsPath).length - 1
  // Three attempts a call.
  await rejection(listSalesUnits(client))
  expect(calls()).toBe(3)
  await rejection(listSalesUnits(client))
  expect(calls()).toBe(5)
  return { ...fixture, calls }
}

test('after five failures in a row the API counts as down: nobody asks it, on no instance, and nobody waits', async () => {
  const fixture = await fell()
  const { client, upstream, log } = fixture
  const instance = await createFixture({ beside: fixture })
  const before = upstream.requests.length
  const began = performance.now()
  const errors = await Promise.all(
    [client, instance.client].flatMap((each) => times(3, () => rejection(getSalesUnit(each, '1001')))),
  )
  expect(performance.now() - began).toBeLessThan(3000)
  for (const error of errors) {
    expect(error).toBeInstanceOf(UpstreamUnavailableError)
    expect(error).toMatchObject({ cause: new Error('the API is down') })
  }
  expect(upstream.requests).toHaveLength(before)
  expect(log().filter(({ msg }) => msg === 'upstream call failed')).toHaveLength(5)
})

test('failures with an answer between them are none in a row, and neither are refusals', async () => {
  const { client, upstream } = await createFixture()
  const [bad, good] = [{ status: 500 }, { body: [] }]
  upstream.answer(salesUnitsPath, bad, bad, good, bad, bad, good, bad, bad, good)
  for (let call = 0; call < 3; call += 1) await listSalesUnits(client)
  upstream.answer(salesUnitsPath, { status: 403 })
  for (let call = 0; call < 6; call += 1) await rejection(listSalesUnits(client))
  expect(upstream.to(salesUnitsPath)).toHaveLength(15)
})

test('one call tries whether it is up again, alone; when it is, all may', async () => {
  const { client, upstream, organisation, calls } = await fell()
  upstream.answer(salesUnitsPath, { body: [], delayMs: 200 }, { body: [] })
  await later(organisation, 10)
  const tried = await Promise.allSettled(times(4, () => listSalesUnits(client)))
  expect(tried.map(({ status }) => status).toSorted()).toEqual([
    'fulfilled',
    'rejected',
    'rejected',
    'rejected',
  ])
  expect(calls()).toBe(6)
  await Promise.all(times(4, () => listSalesUnits(client)))
  expect(calls()).toBe(10)
})

test('when it is not, it is left alone for longer', async () => {
  const { client, organisation, calls } = await fell()
  const pace = paceOf(organisation, { maxPerSecond: 1000, maxConcurrency: 10, timeoutMs })
  const left = async (): Promise<number> => (await pace.lease({ wanted: 0, inFlight: 0, atOnce: 10 })).waitMs
  expect(await left()).toBeLessThan(2600)
  for (const [failures, least, most] of [
    [6, 2600, 5100],
    [7, 5200, 10_100],
  ] as const) {
    await later(organisation, 60)
    await rejection(listSalesUnits(client))
    expect(calls()).toBe(failures)
    const wait = await left()
    expect(wait).toBeGreaterThan(least)
    expect(wait).toBeLessThan(most)
  }
})
