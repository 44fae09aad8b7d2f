import { networkCode, networkProblem } from '../domain/network-problem.ts'
import type { Purpose } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { readBody, TooLargeError } from './body.ts'
import { type Problem, readProblem } from './problem.ts'
import { type CallEnd, createRateLimiter } from './rate-limiter.ts'
import { createRepeats } from './repeats.ts'
import { type Wait, waitOf } from './wait.ts'

/** The maximum size of an error response or a token response. */
export const maxProblemBytes = 64 * 1024

/** One prepared request. `secrets` are the strings to redact from the response's title. */
export type HttpRequest = {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly secrets: readonly string[]
  readonly attempt: number
  /** The maximum size of the response; by default the client's limit for lists. */
  readonly maxBytes?: number | undefined
}

/** A success with its raw body, or a failure; `status` is present when a complete response arrived. */
export type Outcome = { readonly ok: true; readonly status: number; readonly body: Buffer } | Failed

/** A failed call. */
export type Failed = {
  readonly ok: false
  readonly status?: number | undefined
  /** The reason for the log; never contains data that was sent or received. */
  readonly reason: string
  /** Present when the API asks to wait. */
  readonly wait?: Wait | undefined
  /** True when nothing was sent, because the API is down or limits calls; an immediate retry is useless. */
  readonly refused?: boolean
} & Problem

/** The limits of one client. */
export type Limits = {
  readonly maxConcurrency: number
  readonly maxPerSecond: number
  /** The timeout of one attempt, without waiting for a permit. */
  readonly timeoutMs: number
  /** The maximum size of one response, after decompression. */
  readonly maxBodyBytes: number
  /** The maximum size of all responses that this process is reading or parsing. */
  readonly maxBytesInFlight: number
}

/** The purpose and the priority of a call. */
export type Call = {
  readonly purpose: Purpose
  readonly priority: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits for a permit, then sends the request that `prepare` returns at that moment, once. Resolves to undefined when
 * `prepare` returns nothing. Rejects only with the signal's reason.
 */
export type Send = (prepare: () => HttpRequest | undefined, call: Call) => Promise<Outcome | undefined>

/** Sends the requests of one organisation, which `logger` has as context. */
export type Sender = { readonly send: Send; readonly pausedMs: () => number }

/**
 * Creates a sender with a rate limit, a timeout and one log line per attempt; equal failures are logged when they begin,
 * every few minutes with their number, and when they end.
 * @param now in ms, for the log of repeated failures
 */
export function createSender(limits: Limits, logger: Logger, now?: () => number): Sender {
  const rateLimiter = createRateLimiter(limits, logger)
  const repeats = createRepeats(now)
  /** The latest failure that can pause the calls. */
  let latest: Failed | undefined

  async function send(prepare: () => HttpRequest | undefined, call: Call): Promise<Outcome | undefined> {
    const permit = await rateLimiter.acquire(call)
    // The operator sees the answer that is the reason for this one, too.
    const { said, title } = latest ?? {}
    if (permit === 'down') return { ok: false, reason: 'API down', refused: true, said, title }
    if (permit === 'rate limited')
      return { ...latest, status: latest?.wait ? latest.status : 429, ok: false, reason: permit, refused: true }
    const request = prepare()
    if (!request) {
      permit.release('aborted')
      return undefined
    }
    const outcome = await attempt(request, call)
    if (!outcome.ok && (outcome.wait !== undefined || outcome.status === undefined || outcome.status >= 500))
      latest = outcome
    permit.release(call.signal?.aborted ? 'aborted' : endOf(outcome))
    return outcome
  }

  async function attempt(request: HttpRequest, { purpose, signal }: Call): Promise<Outcome> {
    const started = performance.now()
    // Not AbortSignal.any, which leaks memory per attempt while a long-lived signal exists.
    const controller = new AbortController()
    const stop = () => controller.abort()
    const timer = setTimeout(stop, limits.timeoutMs)
    signal?.addEventListener('abort', stop, { once: true })
    const outcome = await exchange(request, limits, controller.signal)
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)

    const { method, url, attempt: number } = request
    const line = {
      purpose,
      method,
      path: new URL(url).pathname,
      status: outcome.status,
      ms: Math.round(performance.now() - started),
      attempt: number,
    }
    if (outcome.ok || outcome.status === 404 || signal?.aborted) {
      // 404 is a regular answer: absent, or not shared.
      logger.debug(line, signal?.aborted ? 'upstream call aborted' : 'upstream call')
    } else {
      const { reason, title, traceId, said } = outcome
      const repeated = repeats.note([purpose, number, outcome.status, reason, title, said].join(' '))
      const failed = { ...line, reason, title, traceId, said, ...(repeated !== 1 && { repeated }) }
      logger[repeated === undefined ? 'debug' : 'warn'](failed, 'upstream call failed')
    }
    for (const { kind, count, seconds } of repeats.ended())
      logger.warn({ failures: count, seconds, failure: kind }, 'upstream calls no longer fail')
    return outcome
  }

  return { send, pausedMs: rateLimiter.pausedMs }
}

function endOf(outcome: Outcome): CallEnd {
  const { status } = outcome
  if (!outcome.ok && outcome.wait) return outcome.wait
  return status === undefined || status >= 500 ? 'failed' : 'answered'
}

/** Sends one request and reads the response. Never follows a redirect, which would send the credentials along. */
async function exchange(request: HttpRequest, limits: Limits, signal: AbortSignal): Promise<Outcome> {
  const { url, method, headers, body, secrets } = request
  const { maxBytesInFlight, maxBodyBytes } = limits
  const maxBytes = Math.min(maxBodyBytes, request.maxBytes ?? Infinity)
  try {
    const response = await fetch(url, { method, headers, body: body ?? null, redirect: 'manual', signal })
    const { status } = response
    if (response.ok) return { ok: true, status, body: await readBody(response, { maxBytes, maxBytesInFlight }) }
    // An error response counts even when its body is lost or too long.
    const problemLimits = { maxBytes: maxProblemBytes, maxBytesInFlight }
    const text = await readBody(response, problemLimits).then(String, () => '')
    const wait = waitOf(status, response.headers.get('retry-after'), text)
    return { ok: false, status, reason: `status ${status}`, wait, ...readProblem(text, secrets) }
  } catch (error) {
    if (error instanceof TooLargeError) return { ok: false, status: 200, reason: error.message }
    if (signal.aborted) return { ok: false, reason: 'timeout' }
    // Not the message of fetch, which can quote a header with a secret.
    return { ok: false, reason: networkCode(error) ?? 'network error', said: networkProblem(error) }
  }
}
