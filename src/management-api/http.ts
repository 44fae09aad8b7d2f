import type { Purpose } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createLimiter, type Pace, type Turn as Turned } from './limiter.ts'
import { type Problem, readProblem, retryAfterMs } from './problem.ts'

/** One request, ready to go. `secrets` are what it carries that must not come back in a title. */
export type HttpRequest = {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly secrets: readonly string[]
  readonly attempt: number
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
  /** For one attempt, from the first byte sent to the last byte read; waiting for a turn does not count. */
  readonly timeoutMs: number
  /** Of an answer, after decompression. */
  readonly maxBodyBytes: number
}

export type Turn = {
  readonly purpose: Purpose
  readonly priority: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits for its turn, then sends what `prepare` makes at that moment, once. Resolves with undefined when `prepare`
 * made nothing. Rejects only with the signal's reason.
 */
export type Send = (prepare: () => HttpRequest | undefined, turn: Turn) => Promise<Outcome | undefined>

const maxProblemBytes = 64 * 1024

class TooLargeError extends Error {}

const readBody = async (response: Response, maxBytes: number): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new TooLargeError()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Messages of fetch can quote a header, and a header is a secret: only a code such as ECONNREFUSED is kept. */
const reasonOf = (error: unknown): string => {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' && /^[A-Z_]+$/.test(code) ? code : 'network error'
}

/** Sends one request and reads its answer. Never follows a redirect: the keys would go along. */
const exchange = async (request: HttpRequest, limits: Limits, signal: AbortSignal): Promise<Outcome> => {
  const { url, method, headers, body, secrets } = request
  try {
    const response = await fetch(url, { method, headers, body: body ?? null, redirect: 'manual', signal })
    const { status } = response
    if (response.ok) return { ok: true, status, body: await readBody(response, limits.maxBodyBytes) }
    // A problem whose body is lost or endless is still an answer.
    const text = await readBody(response, maxProblemBytes).then(String, () => '')
    const wait = status === 429 ? retryAfterMs(response.headers.get('retry-after')) : undefined
    const problem = readProblem(text, secrets)
    return { ok: false, status, reason: `answered ${status}`, retryAfterMs: wait, ...problem }
  } catch (error) {
    if (error instanceof TooLargeError) return { ok: false, status: 200, reason: 'answer too large' }
    return { ok: false, reason: signal.aborted ? 'timeout' : reasonOf(error) }
  }
}

/** After a 429 that does not say for how long. */
const defaultHoldMs = 1000
/** After so long the API is asked again, whatever it said. */
const longestHoldMs = 60_000

const tookOf = (outcome: Outcome): Parameters<Turned['end']>[0] => {
  const { status } = outcome
  if (status === 429 && !outcome.ok)
    return { slowDownMs: Math.min(outcome.retryAfterMs ?? defaultHoldMs, longestHoldMs) }
  return status === undefined || status >= 500 ? 'failed' : 'answered'
}

/** The way out for one organisation, whose name `logger` knows: turns, timeout, one log line an attempt. */
export const createSend = (limits: Limits, pace: Pace, logger: Logger): Send => {
  const limiter = createLimiter(pace, limits.maxPerSecond)

  const attempt = async (request: HttpRequest, { purpose, signal }: Turn): Promise<Outcome> => {
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

  return async (prepare, turn) => {
    const taken = await limiter.turn(turn)
    if (taken === 'down') return { ok: false, reason: 'the API is down', refused: true }
    if (taken === 'asked to wait') return { ok: false, status: 429, reason: taken, refused: true }
    const request = prepare()
    if (!request) {
      taken.end('given up')
      return undefined
    }
    const outcome = await attempt(request, turn)
    taken.end(turn.signal?.aborted ? 'given up' : tookOf(outcome))
    return outcome
  }
}
