import type { Purpose } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { readBody, TooLargeError } from './body.ts'
import { type Problem, readProblem, retryAfterMs } from './problem.ts'
import { type CallEnd, createRateLimiter } from './rate-limiter.ts'

/** Of an answer that is no success, or a token. */
export const maxProblemBytes = 64 * 1024

/** One request, ready to go. `secrets` are what it carries that must not come back in a title. */
export type HttpRequest = {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly secrets: readonly string[]
  readonly attempt: number
  /** Of the answer; else the client's limit for lists. */
  readonly maxBytes?: number | undefined
}

/** A success with its body as it came, or why there is none; `status` is there when a whole answer was. */
export type Outcome =
  | { readonly ok: true; readonly status: number; readonly body: Buffer }
  | ({
      readonly ok: false
      readonly status?: number | undefined
      /** For the log: a few words, never what was sent or received. */
      readonly reason: string
      /** How long the API asked to be left alone (429). */
      readonly retryAfterMs?: number | undefined
      /** True when nothing was sent, as the API is down or wants to be left alone: to try again at once is no use. */
      readonly refused?: boolean
    } & Problem)

export type Limits = {
  readonly maxConcurrency: number
  readonly maxPerSecond: number
  /** For one attempt, from the first byte sent to the last byte read; waiting for a permit does not count. */
  readonly timeoutMs: number
  /** Of an answer, after decompression. */
  readonly maxBodyBytes: number
  /** Of all answers that this process is reading or parsing. */
  readonly maxBytesInFlight: number
}

/** Why and how urgently a call is made. */
export type Call = {
  readonly purpose: Purpose
  readonly priority: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits for a permit, then sends what `prepare` makes at that moment, once. Resolves with undefined when `prepare`
 * made nothing. Rejects only with the signal's reason.
 */
export type Send = (prepare: () => HttpRequest | undefined, call: Call) => Promise<Outcome | undefined>

/** The way out for one organisation, whose name `logger` knows. */
export type Sender = { readonly send: Send; readonly pausedMs: () => number }

/** After a 429 that does not say for how long. */
const defaultHoldMs = 1000
/** After so long the API is asked again, whatever it said. */
const longestHoldMs = 60_000

/** Rate limit, timeout, one log line an attempt. */
export function createSender(limits: Limits, logger: Logger): Sender {
  const rateLimiter = createRateLimiter(limits, logger)

  async function send(prepare: () => HttpRequest | undefined, call: Call): Promise<Outcome | undefined> {
    const permit = await rateLimiter.acquire(call)
    if (permit === 'down') return { ok: false, reason: 'the API is down', refused: true }
    if (permit === 'asked to wait') return { ok: false, status: 429, reason: permit, refused: true }
    const request = prepare()
    if (!request) {
      permit.release('given up')
      return undefined
    }
    const outcome = await attempt(request, call)
    permit.release(call.signal?.aborted ? 'given up' : endOf(outcome))
    return outcome
  }

  async function attempt(request: HttpRequest, { purpose, signal }: Call): Promise<Outcome> {
    const started = performance.now()
    // AbortSignal.any keeps something of every attempt for as long as a long-lived signal lives.
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
      // 404 is an answer: not there, or not shared.
      logger.debug(line, signal?.aborted ? 'upstream call given up by its caller' : 'upstream call')
    } else {
      const { reason, title, traceId } = outcome
      logger.warn({ ...line, reason, title, traceId }, 'upstream call failed')
    }
    return outcome
  }

  return { send, pausedMs: rateLimiter.pausedMs }
}

function endOf(outcome: Outcome): CallEnd {
  const { status } = outcome
  if (status === 429 && !outcome.ok)
    return { retryAfterMs: Math.min(outcome.retryAfterMs ?? defaultHoldMs, longestHoldMs) }
  return status === undefined || status >= 500 ? 'failed' : 'answered'
}

/** Sends one request and reads its answer. Never follows a redirect: the credentials would go along. */
async function exchange(request: HttpRequest, limits: Limits, signal: AbortSignal): Promise<Outcome> {
  const { url, method, headers, body, secrets } = request
  const { maxBytesInFlight, maxBodyBytes } = limits
  const maxBytes = Math.min(maxBodyBytes, request.maxBytes ?? Infinity)
  try {
    const response = await fetch(url, { method, headers, body: body ?? null, redirect: 'manual', signal })
    const { status } = response
    if (response.ok) return { ok: true, status, body: await readBody(response, { maxBytes, maxBytesInFlight }) }
    // A problem whose body is lost or endless is still an answer.
    const problemLimits = { maxBytes: maxProblemBytes, maxBytesInFlight }
    const text = await readBody(response, problemLimits).then(String, () => '')
    const wait = status === 429 ? retryAfterMs(response.headers.get('retry-after')) : undefined
    const problem = readProblem(text, secrets)
    return { ok: false, status, reason: `answered ${status}`, retryAfterMs: wait, ...problem }
  } catch (error) {
    if (error instanceof TooLargeError) return { ok: false, status: 200, reason: error.message }
    return { ok: false, reason: signal.aborted ? 'timeout' : reasonOf(error) }
  }
}

/** Messages of fetch can quote a header, and a header is a secret: only a code such as ECONNREFUSED is kept. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' && /^[A-Z_]+$/.test(code) ? code : 'network error'
}
