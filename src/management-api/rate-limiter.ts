import type { Logger } from '../logger.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'
import type { Wait } from './wait.ts'

/** Priorities of calls, highest first: every call needs a token, and a retried call has already waited. */
export const priorities = { token: 5, retried: 4, requested: 3, list: 2, unknown: 1, background: 0, last: -1 } as const

/** Why a call is refused: the API is down, or its Retry-After exceeds the longest wait. */
export type Refusal = 'down' | 'rate limited'
/** The end of a call. `failed`: no complete response, or a 5xx. */
export type CallEnd = 'answered' | 'failed' | 'aborted' | Wait
/** Permission for one call; `release` it when the call ends. */
export type Permit = { release(end: CallEnd): void }

/** The rate limiter of one client. */
export type RateLimiter = {
  /** Resolves when the call may be made, or at once to a refusal. Rejects with the signal's reason. */
  acquire(options: { readonly priority: number; readonly signal?: AbortSignal | undefined }): Promise<Permit | Refusal>
  /** Milliseconds until calls are allowed again; 0 when they are. */
  readonly pausedMs: () => number
}

/** The API counts calls per second as they arrive; the rest is margin. */
const windowMs = 1010
/** The longest assumed delay between sending a call and its arrival. */
const maxArrivalDelayMs = 300
/** How far calls catch up after a late timer. */
const catchUpMs = 100
/** Calls are refused rather than wait longer than this for a Retry-After. */
const longestWaitMs = 30_000
/** The time in which a lowered rate recovers to the limit. */
const recoveryMs = 30_000
/** 429s within this time lower the rate only once, as their calls were already in flight. */
const lowerOnceMs = 1000

type Call = { readonly startedAt: number; endedAt: number; readonly isProbe: boolean }
type Waiter = Pick<Call, 'isProbe'> & {
  readonly priority: number
  readonly resolve: (permit: Permit | Refusal) => void
}

/**
 * Rate limit, concurrency limit and circuit breaker of one client. Permits are evenly spaced, so that a user never
 * waits for the next second. Call k arrives at least a window after call k - R, whose end bounds its arrival: with a
 * fixed margin of 25 ms an API that stalls for 80 ms answers 429. Libraries lose a millisecond at every timer (p-queue,
 * 20 % of 200 calls a second) or send bursts, which get 429s (bottleneck).
 */
export function createRateLimiter(
  { maxPerSecond, maxConcurrency }: { readonly maxPerSecond: number; readonly maxConcurrency: number },
  logger: Logger,
): RateLimiter {
  const waiting: Waiter[] = []
  /** The latest `maxPerSecond` calls as a ring buffer; `oldest` is the next index. */
  const calls: Call[] = []
  let [oldest, slotAt, inFlight, quickestMs] = [0, 0, 0, Infinity]
  let [heldUntil, loweredAt, loweredTo] = [-Infinity, -Infinity, maxPerSecond]
  let timer: NodeJS.Timeout | undefined
  const breaker = createCircuitBreaker(logger, () => refuseAll('down'))

  function schedule(): void {
    clearTimeout(timer)
    while (waiting.length > 0 && inFlight < maxConcurrency) {
      const now = performance.now()
      if (heldUntil - now > longestWaitMs) return refuseAll('rate limited')
      const at = Math.max(slotAt, arrivedBy(calls[oldest]) + windowMs, heldUntil)
      if (at > now) {
        timer = setTimeout(schedule, Math.ceil(at - now))
        return
      }
      slotAt = Math.max(slotAt, now - catchUpMs) + windowMs / rateAt(now)
      grantFirst(now)
    }
  }

  /** The latest arrival of a call, estimated from how much longer it took than the quickest call. */
  function arrivedBy(call: Call | undefined): number {
    if (!call) return -Infinity
    const lateMs = Number.isNaN(call.endedAt) ? Infinity : call.endedAt - call.startedAt - quickestMs
    return call.startedAt + Math.min(maxArrivalDelayMs, Math.max(0, lateMs))
  }

  function rateAt(now: number): number {
    const recoveredMs = Math.max(0, now - Math.max(loweredAt, heldUntil))
    return Math.min(maxPerSecond, loweredTo + (maxPerSecond * recoveredMs) / recoveryMs)
  }

  function grantFirst(startedAt: number): void {
    const priority = Math.max(...waiting.map((waiter) => waiter.priority))
    const [first] = waiting.splice(
      waiting.findIndex((waiter) => waiter.priority === priority),
      1,
    )
    const call = { startedAt, endedAt: NaN, isProbe: first?.isProbe === true }
    calls[oldest] = call
    oldest = (oldest + 1) % maxPerSecond
    inFlight += 1
    first?.resolve({ release: (end) => release(call, end) })
  }

  function release(call: Call, end: CallEnd): void {
    if (!Number.isNaN(call.endedAt)) return
    call.endedAt = performance.now()
    quickestMs = Math.min(call.endedAt - call.startedAt, quickestMs * 1.002)
    inFlight -= 1
    const wait = typeof end === 'object' ? end : undefined
    if (end === 'failed' || wait?.why === 'unavailable') breaker.failed(call.startedAt)
    else if (end !== 'aborted') breaker.answered()
    else if (call.isProbe) breaker.giveUpProbe()
    if (wait) hold(wait)
    schedule()
  }

  /** Holds all calls; only calls that came too fast lower the rate. */
  function hold({ ms: waitMs, why }: Wait): void {
    const now = performance.now()
    if (why === 'too fast' && now - loweredAt > lowerOnceMs) {
      loweredTo = Math.max(rateAt(now) / 2, maxPerSecond / 50)
      loweredAt = now
      logger.warn({ perSecond: Math.round(loweredTo * 10) / 10, waitMs }, 'rate limit lowered')
    } else if (why !== 'too fast' && heldUntil < now) logger.warn({ waitMs, why }, 'API asks to wait')
    heldUntil = Math.max(heldUntil, now + waitMs)
    slotAt = Math.max(slotAt, heldUntil)
  }

  function refuseAll(refusal: Refusal): void {
    for (const { resolve, isProbe } of waiting.splice(0)) {
      if (isProbe) breaker.giveUpProbe()
      resolve(refusal)
    }
  }

  async function acquire({ priority, signal }: Parameters<RateLimiter['acquire']>[0]) {
    signal?.throwIfAborted()
    if (breaker.state() === 'open') return 'down'
    if (heldUntil - performance.now() > longestWaitMs) return 'rate limited'
    const isProbe = breaker.state() === 'half-open'
    if (isProbe) breaker.probe()
    const { promise, resolve, reject } = Promise.withResolvers<Permit | Refusal>()
    const waiter = { priority, isProbe, resolve }
    const stop = () => {
      const position = waiting.indexOf(waiter)
      if (position === -1) return
      waiting.splice(position, 1)
      if (isProbe) breaker.giveUpProbe()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', stop, { once: true })
    // Idle time is not caught up.
    if (waiting.length === 0) slotAt = Math.max(slotAt, performance.now())
    waiting.push(waiter)
    schedule()
    return promise.finally(() => signal?.removeEventListener('abort', stop))
  }

  return {
    acquire,
    pausedMs: () => Math.max(0, heldUntil - performance.now(), breaker.pausedMs()),
  }
}
