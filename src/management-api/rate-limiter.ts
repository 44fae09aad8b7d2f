import type { Logger } from '../logger.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'

/** Whose call goes first: everything waits for a token, and a call that waited for one has waited before. */
export const priorities = { token: 5, retried: 4, requested: 3, list: 2, unknown: 1, background: 0, last: -1 } as const

/** Why no call may be made: the API is down, or asked to be left alone for longer than a call waits. */
export type Refusal = 'down' | 'asked to wait'
/** How a call ended. `failed`: no whole answer, or a 5xx; `retryAfterMs`: a 429. */
export type CallEnd = 'answered' | 'failed' | 'given up' | { readonly retryAfterMs: number }
/** Leave to make one call; `release` it when the call is over. */
export type Permit = { release(end: CallEnd): void }

export type RateLimiter = {
  /** Resolves when the call may be made, or at once to a refusal. Rejects with the signal's reason. */
  acquire(options: { readonly priority: number; readonly signal?: AbortSignal | undefined }): Promise<Permit | Refusal>
  /** Milliseconds from now in which no call will be made; 0 when calls may be made. */
  readonly pausedMs: () => number
}

/** The API counts the calls of any second as they arrive; the rest is margin. */
const windowMs = 1010
/** A call that ended late may have arrived late, by this much at most. */
const longestTripMs = 300
/** After a late timer the next calls catch up so much. */
const catchUpMs = 100
/** A call does not wait longer than this because the API asked for it. */
const longestWaitMs = 30_000
/** A lowered rate grows back by the whole limit in this time. */
const recoveryMs = 30_000
/** 429s within this time lower the rate once: their calls were already under way. */
const lowerOnceMs = 1000

type Call = { readonly startedAt: number; endedAt: number; readonly isProbe: boolean }
type Waiter = Pick<Call, 'isProbe'> & {
  readonly priority: number
  readonly resolve: (permit: Permit | Refusal) => void
}

/**
 * The rate limit, calls in flight and circuit breaker of one client. Permits are evenly spaced, so that a user never waits
 * for the next second, and call k arrives a window after call k - R, whose end tells when it arrived: with a fixed margin
 * of 25 ms an API that stalls for 80 ms answers 429. Libraries lose a millisecond at every timer (p-queue, 20 % of 200
 * calls a second) or send bursts, which get 429s (bottleneck).
 */
export function createRateLimiter(
  { maxPerSecond, maxConcurrency }: { readonly maxPerSecond: number; readonly maxConcurrency: number },
  logger: Logger,
): RateLimiter {
  const waiting: Waiter[] = []
  /** The latest `maxPerSecond` calls; `oldest` is where the next one goes. */
  const calls: Call[] = []
  let [oldest, slotAt, inFlight, quickestMs] = [0, 0, 0, Infinity]
  let [heldUntil, loweredAt, loweredTo] = [-Infinity, -Infinity, maxPerSecond]
  let timer: NodeJS.Timeout | undefined
  const breaker = createCircuitBreaker(logger, () => refuseAll('down'))

  function work(): void {
    clearTimeout(timer)
    while (waiting.length > 0 && inFlight < maxConcurrency) {
      const now = performance.now()
      if (heldUntil - now > longestWaitMs) return refuseAll('asked to wait')
      const at = Math.max(slotAt, arrivedBy(calls[oldest]) + windowMs, heldUntil)
      if (at > now) {
        timer = setTimeout(work, Math.ceil(at - now))
        return
      }
      slotAt = Math.max(slotAt, now - catchUpMs) + windowMs / rateAt(now)
      grantFirst(now)
    }
  }

  /** Of calls to one API the quickest tells what the others took beside the way there. */
  function arrivedBy(call: Call | undefined): number {
    if (!call) return -Infinity
    const lateMs = Number.isNaN(call.endedAt) ? Infinity : call.endedAt - call.startedAt - quickestMs
    return call.startedAt + Math.min(longestTripMs, Math.max(0, lateMs))
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
    if (end === 'failed') breaker.failed(call.startedAt)
    else if (end !== 'given up') breaker.answered()
    else if (call.isProbe) breaker.giveUpProbe()
    if (typeof end === 'object') lowerRate(end.retryAfterMs)
    work()
  }

  function lowerRate(waitMs: number): void {
    const now = performance.now()
    if (now - loweredAt > lowerOnceMs) {
      loweredTo = Math.max(rateAt(now) / 2, maxPerSecond / 50)
      loweredAt = now
      logger.warn({ perSecond: Math.round(loweredTo * 10) / 10, waitMs }, 'rate limit lowered')
    }
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
    if (heldUntil - performance.now() > longestWaitMs) return 'asked to wait'
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
    // Time in which nobody waited is not caught up.
    if (waiting.length === 0) slotAt = Math.max(slotAt, performance.now())
    waiting.push(waiter)
    work()
    return promise.finally(() => signal?.removeEventListener('abort', stop))
  }

  return {
    acquire,
    pausedMs: () => Math.max(0, heldUntil - performance.now(), breaker.pausedMs()),
  }
}
