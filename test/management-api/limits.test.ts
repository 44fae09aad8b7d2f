import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { UpstreamBusyError, UpstreamUnavailableError } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import { retryAfterMs } from '../../src/management-api/wait.ts'
import { type CallEnd, createRateLimiter, type Permit, priorities } from '../../src/management-api/rate-limiter.ts'
import { getSalesUnit, listSalesUnits } from '../../src/management-api/sales-units.ts'
import { listWebhooks } from '../../src/management-api/webhooks.ts'
import { createFixture, type LogLine, numbers, rejection, salesUnitsPath } from '../support/management-api-client.ts'
import type { Answer } from '../support/upstream.ts'

const unit = { msn: '1234', name: 'x', businessIdentifier: { scheme: 'business:NO:ORG', id: '987654321' } }

function pathOf(msn: string) {
  return `${salesUnitsPath}/${msn}`
}

const webhooksPath = '/webhooks/v1/webhooks'

function times<T>(count: number, call: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => call(index))
}

function startLimiter(maxPerSecond = 1000, maxConcurrency = 10) {
  const log: LogLine[] = []
  const logger = createLogger('info', { write: (line) => void log.push(JSON.parse(line)) })
  const limiter = createRateLimiter({ maxPerSecond, maxConcurrency }, logger)
  /** Makes one call that ends at once. @returns why it was not made */
  const call = async (end: CallEnd = 'answered') => {
    const permit = await limiter.acquire({ priority: priorities.list })
    if (typeof permit === 'string') return permit
    permit.release(end)
    return undefined
  }
  return { limiter, call, messages: () => log.map(({ msg }) => msg), log }
}

test('token calls and retries count against the limit', async () => {
  const { client, upstream } = await createFixture({ limits: { maxPerSecond: 5, maxConcurrency: 50 } })
  upstream.answer(salesUnitsPath, { status: 500 }, { status: 500 }, { body: [] })
  await Promise.all(times(5, () => listSalesUnits(client)))
  const [first = 0, sixth = 0] = [0, 5].map((index) => upstream.requests[index]?.at)
  expect(sixth - first).toBeGreaterThan(900)
})

test('calls in flight reach maxConcurrency and never exceed it', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 3 } })
  upstream.answer(salesUnitsPath, { body: [], delayMs: 50 })
  await Promise.all(times(12, () => listSalesUnits(client)))
  expect(upstream.peak()).toBe(3)
})

test('a token call does not deadlock with maxConcurrency 1', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 1 } })
  upstream.answer(salesUnitsPath, { status: 401 }, { body: [] })
  await Promise.all(times(3, () => listSalesUnits(client)))
  expect(upstream.peak()).toBe(1)
})

test('permits go to user requests first, then to lists, unlisted records and background calls', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 1 } })
  upstream.answer(salesUnitsPath, { body: [], delayMs: 100 }, { body: [] })
  // While this call is in flight, the others wait for a permit.
  const first = listSalesUnits(client)
  await expect.poll(() => upstream.to(salesUnitsPath).length).toBe(1)
  const order = ['background', 'unknown', 'list', undefined, 'background', 'unknown', 'list', 'requested'] as const
  const calls = order.map((priority, index) => {
    const msn = String(1001 + index)
    upstream.answer(pathOf(msn), { body: { ...unit, msn } })
    return getSalesUnit(client, msn, { priority })
  })
  await Promise.all([first, ...calls])
  const asked = upstream.requests.slice(2).map(({ path }) => path.slice(-4))
  expect(asked).toEqual(['1004', '1008', '1003', '1007', '1002', '1006', '1001', '1005'])
})

test('a call that is aborted while it waits is never sent', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 1 } })
  upstream.answer(salesUnitsPath, { body: [], delayMs: 200 })
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

test('waiting for a permit does not count as timeout', async () => {
  const { client, upstream } = await createFixture({ limits: { maxConcurrency: 1, timeoutMs: 300 } })
  upstream.answer(salesUnitsPath, { body: [], delayMs: 100 })
  await Promise.all(times(5, () => listSalesUnits(client)))
  expect(upstream.to(salesUnitsPath)).toHaveLength(5)
})

test('after a 429 the calls of that organisation only wait for Retry-After', async () => {
  const [one, other] = [await createFixture(), await createFixture()]
  one.upstream.answer(salesUnitsPath, { status: 429, headers: { 'retry-after': '1' } }, { body: [] })
  one.upstream.answer(webhooksPath, { body: { webhooks: [] } })
  other.upstream.answer(salesUnitsPath, { body: [] })
  const first = listSalesUnits(one.client)
  await expect.poll(() => one.client.pausedMs()).toBeGreaterThan(0)
  expect(one.client.pausedMs()).toBeLessThanOrEqual(1000)
  await listSalesUnits(other.client)
  expect(one.client.pausedMs()).toBeGreaterThan(0)
  await Promise.all([first, listWebhooks(one.client)])
  expect(one.client.pausedMs()).toBe(0)
  const [refused = 0, again = 0] = one.upstream.to(salesUnitsPath).map(({ at }) => at)
  for (const at of [again, one.upstream.to(webhooksPath)[0]?.at])
    expect((at ?? 0) - refused).toBeGreaterThanOrEqual(998)
})

test('Retry-After is ignored without 429, 503 and 403', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 500, headers: { 'retry-after': '20' } }, { body: [] })
  expect((await listSalesUnits(client)).rows).toEqual([])
  expect(client.pausedMs()).toBe(0)
})

test('a caller can abort during the pause', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 429, headers: { 'retry-after': '20' } })
  const controller = new AbortController()
  const given = rejection(listSalesUnits(client, { signal: controller.signal }))
  await expect.poll(() => client.pausedMs()).toBeGreaterThan(0)
  const reason = new Error('enough')
  controller.abort(reason)
  expect(await given).toBe(reason)
})

test('a Retry-After of more than 30 s fails the call, and the next ones without sending them', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 429, headers: { 'retry-after': '86400' } })
  const error = await rejection(listSalesUnits(client))
  expect(error).toBeInstanceOf(UpstreamUnavailableError)
  expect(error).toMatchObject({ failure: { purpose: 'salesUnits', status: 429 } })
  expect(await rejection(getSalesUnit(client, '1001'))).toMatchObject({
    failure: { purpose: 'salesUnit', status: 429 },
  })
  expect(upstream.to(salesUnitsPath)).toHaveLength(1)
  expect(upstream.to(pathOf('1001'))).toHaveLength(0)
  expect(client.pausedMs()).toBeGreaterThan(50_000)
  expect(client.pausedMs()).toBeLessThanOrEqual(60_000)
})

test('Retry-After is parsed as in RFC 9110, and ignored when it is invalid', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(retryAfterMs('120', now)).toBe(120_000)
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5000)
  for (const value of [
    'Wed, 31 Dec 2025 23:59:55 GMT',
    '0',
    '1.5',
    '-5',
    '',
    ' ',
    'soon',
    'soon 2030',
    '2030-01-01',
    null,
  ])
    expect([value, retryAfterMs(value, now)]).toEqual([value, undefined])
})

const quota = { statusCode: 403, message: 'Out of call volume quota. Quota will be replenished in 01:00:00.' }

test.each<[string, Answer, [least: number, most: number]]>([
  ['a quota with Retry-After', { status: 403, headers: { 'retry-after': '1800' }, body: quota }, [1790, 1800]],
  ['a quota with its words only', { status: 403, body: quota }, [3590, 3600]],
  ['a quota for a month', { status: 403, headers: { 'retry-after': '2592000' } }, [3590, 3600]],
  ['a quota without a time', { status: 403, body: { message: 'Out of call volume quota.' } }, [50, 60]],
  ['maintenance with Retry-After', { status: 503, headers: { 'retry-after': '1800' } }, [1790, 1800]],
])('%s is waited for, and is no refusal of the credentials', async (_name, answer, [least, most]) => {
  const { client, upstream, log } = await createFixture()
  upstream.answer(salesUnitsPath, answer)
  const error = await rejection(listSalesUnits(client))
  expect(error).toBeInstanceOf(UpstreamBusyError)
  expect(client.pausedMs() / 1000).toBeGreaterThan(least)
  expect(client.pausedMs() / 1000).toBeLessThanOrEqual(most)
  expect(await rejection(getSalesUnit(client, '1001'))).toBeInstanceOf(UpstreamBusyError)
  expect(upstream.to(salesUnitsPath)).toHaveLength(1)
  expect(upstream.to(pathOf('1001'))).toHaveLength(0)
  expect(log().map(({ msg }) => msg)).toContain('API asks to wait')
})

test.each<[string, Answer]>([
  ['429', { status: 429 }],
  ['503', { status: 503 }],
  ['403', { status: 403 }],
])('after a %s the default pause takes the place of a Retry-After that names no time', async (_name, answer) => {
  for (const value of ['0', '1.5', '-1', 'soon', 'Wed, 31 Dec 2025 23:59:55 GMT']) {
    const { client, upstream } = await createFixture()
    upstream.answer(salesUnitsPath, { ...answer, headers: { 'retry-after': value } }, { body: [] })
    const list = listSalesUnits(client)
    await expect.poll(() => client.pausedMs()).toBeGreaterThan(0)
    expect(client.pausedMs()).toBeLessThanOrEqual(1000)
    expect((await list).rows).toEqual([])
  }
})

test('a quota of the token endpoint is no refusal of the credentials either', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer('/accesstoken/get', { status: 403, body: quota })
  expect(await rejection(listSalesUnits(client))).toBeInstanceOf(UpstreamBusyError)
  expect(client.pausedMs()).toBeGreaterThan(3_500_000)
})

test('after five failures in a row calls fail at once without being sent', async () => {
  const { client, upstream, log } = await createFixture()
  upstream.answer(salesUnitsPath, { status: 503 })
  // Each call makes three attempts.
  await rejection(listSalesUnits(client))
  await rejection(listSalesUnits(client))
  expect(upstream.to(salesUnitsPath)).toHaveLength(5)
  const errors = await Promise.all(times(3, () => rejection(getSalesUnit(client, '1001'))))
  for (const error of errors) expect(error).toMatchObject({ cause: new Error('API down') })
  expect(upstream.to(pathOf('1001'))).toHaveLength(0)
  expect(log().filter(({ msg }) => msg === 'API down')).toMatchObject([
    { level: 40, organisation: 'partner/12345', failures: 5, waitMs: 1000 },
  ])
})

test('failures with a success between them do not count as in a row, nor do refusals', async () => {
  const { client, upstream } = await createFixture()
  const [bad, good] = [{ status: 500 }, { body: [] }]
  upstream.answer(salesUnitsPath, bad, bad, good, bad, bad, good, bad, bad, good)
  for (let call = 0; call < 3; call += 1) await listSalesUnits(client)
  upstream.answer(salesUnitsPath, { status: 403 })
  for (let call = 0; call < 6; call += 1) await rejection(listSalesUnits(client))
  expect(upstream.to(salesUnitsPath)).toHaveLength(15)
})

test('failures of the token endpoint also start a pause of known length', async () => {
  const { client, upstream } = await createFixture()
  upstream.answer('/accesstoken/get', { status: 401 })
  await rejection(listSalesUnits(client))
  expect(client.pausedMs()).toBeGreaterThan(9000)
})

describe('with a fake clock', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })
  const advance = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)

  /** The start times of `count` calls, in milliseconds from now. */
  const startsOf = async ({ limiter }: ReturnType<typeof startLimiter>, count: number, forMs: number) => {
    const began = performance.now()
    const starts: number[] = []
    const call = async () => {
      const permit = (await limiter.acquire({ priority: 0 })) as Permit
      starts.push(performance.now() - began)
      permit.release('answered')
    }
    void Promise.all(times(count, call))
    await advance(forMs)
    return starts
  }

  /**
   * An API that counts calls in any second as they arrive. Timers fire 1 to 3 ms late, one in 200 of them 60 ms, and
   * every 737 ms nothing arrives for 80 ms.
   */
  test.each([10, 200, 1000])('a limit of %i calls a second is nearly used up without a 429', async (rate) => {
    const below = numbers(rate)
    const lateMs = () => (below(200) === 0 ? 60 : 1 + below(3))
    const onTime = setTimeout
    vi.stubGlobal('setTimeout', (run: () => void, ms: number) => onTime(run, ms + lateMs()))
    const { limiter } = startLimiter(rate, 100)
    const arrivals: number[] = []
    let refused = 0
    const arrive = () => {
      const now = performance.now()
      if (now - (arrivals.at(-rate) ?? -Infinity) < 1000) refused += 1
      else arrivals.push(now)
    }
    const seconds = 10
    let left = rate * seconds
    const work = async () => {
      while ((left -= 1) >= 0) {
        const permit = (await limiter.acquire({ priority: 0 })) as Permit
        await new Promise<void>((resolve) => {
          const stalledMs = Math.max(0, 80 - (performance.now() % 737))
          onTime(() => {
            arrive()
            onTime(resolve, 30)
          }, stalledMs + lateMs())
        })
        permit.release('answered')
      }
    }
    void Promise.all(times(rate + 100, work))
    await advance(seconds * 1000 * 1.1)
    expect(refused).toBe(0)
    expect(arrivals).toHaveLength(rate * seconds)
    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeLessThan(seconds * 1000 * 1.04)
  })

  test('calls are evenly spaced, even after an idle time', async () => {
    const started = startLimiter(10)
    for (let round = 0; round < 2; round += 1) {
      const starts = await startsOf(started, 30, 5000)
      expect(starts).toHaveLength(30)
      for (const [index, at] of starts.entries()) expect(Math.abs(at - index * 101)).toBeLessThan(20)
      await advance(5000)
    }
  })

  test('a 429 halves the rate, concurrent ones once, and it recovers within half a minute', async () => {
    const started = startLimiter(10)
    const permits = (await Promise.all(
      times(3, async () => {
        await advance(200)
        return started.limiter.acquire({ priority: 0 })
      }),
    )) as Permit[]
    for (const permit of permits) permit.release({ ms: 2000, why: 'too fast' })
    expect(started.log).toMatchObject([{ level: 40, msg: 'rate limit lowered', perSecond: 5, waitMs: 2000 }])
    expect(started.limiter.pausedMs()).toBe(2000)
    const [first = 0, second = 0, ...more] = await startsOf(started, 200, 40_000)
    expect(first).toBeGreaterThanOrEqual(2000)
    expect(second - first).toBeGreaterThan(150)
    expect(more).toHaveLength(198)
    expect((more.at(-1) ?? 0) - (more.at(-11) ?? 0)).toBeLessThan(1050)
  })

  test('a shorter pause does not shorten a longer one', async () => {
    const { limiter } = startLimiter()
    const permits = (await Promise.all([
      limiter.acquire({ priority: 0 }),
      advance(10),
      limiter.acquire({ priority: 0 }),
      advance(10),
    ])) as Permit[]
    permits[0]?.release({ ms: 20_000, why: 'quota' })
    permits[2]?.release({ ms: 1000, why: 'too fast' })
    expect(limiter.pausedMs()).toBe(20_000)
  })

  test('one probe call tries an API that is down after a second, then after twice as long, up to a minute', async () => {
    const { limiter, call, messages } = startLimiter()
    for (let failure = 0; failure < 5; failure += 1) {
      void call('failed')
      await advance(10)
    }
    const waits: number[] = []
    for (let probe = 0; probe < 8; probe += 1) {
      const wait = limiter.pausedMs()
      waits.push(Math.round(wait / 1000))
      await advance(wait - 20)
      expect(await call()).toBe('down')
      await advance(20)
      expect(limiter.pausedMs()).toBe(0)
      const permit = (await limiter.acquire({ priority: 0 })) as Permit
      expect(await call()).toBe('down')
      expect(limiter.pausedMs()).toBe(1000)
      permit.release('failed')
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
    await advance(60_000)
    const aborted = (await limiter.acquire({ priority: 0 })) as Permit
    aborted.release('aborted')
    await advance(10)
    expect(await call()).toBe(undefined)
    expect(limiter.pausedMs()).toBe(0)
    expect(messages()).toEqual(['API down', 'API recovered'])
  })

  test('failures of calls that started before the pause do not extend it', async () => {
    const { limiter } = startLimiter()
    const permits: Permit[] = []
    for (let call = 0; call < 9; call += 1) {
      const permit = limiter.acquire({ priority: 0 })
      await advance(10)
      permits.push((await permit) as Permit)
    }
    for (const permit of permits) permit.release('failed')
    expect(limiter.pausedMs()).toBe(1000)
  })

  test('waiting calls fail when the pause starts', async () => {
    const { limiter, call } = startLimiter(10)
    const permits = times(5, () => limiter.acquire({ priority: 0 }))
    await advance(500)
    const waits = call()
    for (const permit of await Promise.all(permits)) (permit as Permit).release('failed')
    expect(await waits).toBe('down')
  })
})
