import { setTimeout as sleep } from 'node:timers/promises'
import type { Request, RequestHandler, Response } from 'express'
import { createRandom } from '../world/random.ts'
import { sendProblem } from './problems.ts'

/**
 * A request as an override sees it. `attempt` counts from 1 per method, path and MSN, and restarts with a new override.
 */
export type FaultyRequest = {
  method: string
  /** The path with its query, as the client sent it. */
  path: string
  /** The Merchant-Serial-Number header. */
  msn?: string
  attempt: number
}

/** A string body is sent unchanged, as HTML unless the headers say otherwise; anything else as JSON. */
export type FaultAnswer = { status: number; headers?: Record<string, string>; body?: unknown }

/** The faults of the API. Changes apply from the next request on, including token requests. */
export type Faults = {
  /** The delay before each answer. */
  latencyMs: number
  /** The share of requests, 0 to 1, that fail with 500, 502 (HTML), 503 or 423; deterministic across runs. */
  failRate: number
  /** Requests per organisation and second above this get 429. null: no limit. */
  rateLimitPerSecond: number | null
  /** The value of Retry-After, which every second 429 has. */
  retryAfterSeconds: number
  /** Closes every connection without an answer. */
  down: boolean
  /** Replaces the answer when it returns one; it precedes rate limit and failures. */
  override: ((request: FaultyRequest) => FaultAnswer | undefined) | null
  /** Invalidates all issued tokens. New ones can be requested at once. */
  revokeTokens(): void
}

/** No faults. */
export function noFaults(revokeTokens: () => void): Faults {
  return {
    latencyMs: 0,
    failRate: 0,
    rateLimitPerSecond: null,
    retryAfterSeconds: 1,
    down: false,
    override: null,
    revokeTokens,
  }
}

/** Failures seen in production, including gateway errors and inconsistent problem bodies. */
const failures: readonly FaultAnswer[] = [
  { status: 500, body: { title: 'Internal Server Error', status: '500' } },
  { status: 502, body: '<html><body><h1>502 Bad Gateway</h1></body></html>' },
  { status: 503, body: { type: 'about:blank', title: 'Service Unavailable', traceId: 'demo-503' } },
  { status: 423, body: { title: 'Locked', status: 423, detail: 'The resource is locked. Try again.' } },
]

/**
 * Applies the faults to every request, before the API handles it.
 * @param callerOf the organisation whose rate limit a request counts for
 */
export function applyFaults(faults: Faults, callerOf: (req: Request) => string): RequestHandler {
  const random = createRandom(20_261_001)
  const attempts = new Map<string, number>()
  let countedFor: Faults['override'] = null
  const accepted = new Map<string, number[]>()
  let refusals = 0

  const refusedByLimit = (caller: string): boolean => {
    if (faults.rateLimitPerSecond === null) return false
    const now = performance.now()
    const recent = (accepted.get(caller) ?? []).filter((at) => now - at < 1000)
    accepted.set(caller, recent)
    if (recent.length >= faults.rateLimitPerSecond) return true
    recent.push(now)
    return false
  }

  const overridden = (method: string, path: string, msn: string | undefined): FaultAnswer | undefined => {
    if (!faults.override) return undefined
    if (faults.override !== countedFor) attempts.clear()
    countedFor = faults.override
    const key = `${method} ${path} ${msn ?? ''}`
    const attempt = (attempts.get(key) ?? 0) + 1
    attempts.set(key, attempt)
    return faults.override({ method, path, attempt, ...(msn === undefined ? {} : { msn }) })
  }

  return async (req, res, next) => {
    if (faults.latencyMs > 0) await sleep(faults.latencyMs)
    if (faults.down) {
      req.socket.destroy()
      return
    }
    const answer = overridden(req.method, req.originalUrl, req.get('Merchant-Serial-Number'))
    if (answer) {
      sendAnswer(res, answer)
    } else if (refusedByLimit(callerOf(req))) {
      refusals += 1
      if (refusals % 2 === 0) res.set('Retry-After', String(faults.retryAfterSeconds))
      sendProblem(res, 429, 'Too many requests.')
    } else if (faults.failRate > 0 && random.chance(faults.failRate)) {
      sendAnswer(res, random.pick(failures))
    } else {
      next()
    }
  }
}

function sendAnswer(res: Response, { status, headers = {}, body }: FaultAnswer): void {
  res.status(status)
  if (typeof body === 'string') res.type('html')
  else if (body !== undefined) res.type(status >= 400 ? 'application/problem+json' : 'application/json')
  res.set(headers)
  if (body === undefined) res.end()
  else res.send(typeof body === 'string' ? body : JSON.stringify(body))
}
