import { setTimeout as sleep } from 'node:timers/promises'
import type { Request, RequestHandler, Response } from 'express'
import { createRandom } from '../world/random.ts'
import { sendProblem } from './problems.ts'

/** What an override sees of a request. `attempt` counts from 1 for the same method, path and MSN, anew for a new override. */
export type FaultyRequest = {
  method: string
  /** With its query, as the client sent it. */
  path: string
  /** The Merchant-Serial-Number header. */
  msn?: string
  attempt: number
}

/** A body that is a string is sent as it is, as HTML unless the headers say otherwise; anything else as JSON. */
export type FaultAnswer = { status: number; headers?: Record<string, string>; body?: unknown }

/** How the API behaves. Change any member while it runs; it holds from the next request, tokens included. */
export type Faults = {
  /** Waited before each answer. */
  latencyMs: number
  /** Share of the requests, 0 to 1, that fail with 500, 502 (HTML), 503 or 423; the same ones in every run. */
  failRate: number
  /** More requests of one organisation than this within a second are refused with 429. null: no limit. */
  rateLimitPerSecond: number | null
  /** Written into Retry-After, which every second refusal has. */
  retryAfterSeconds: number
  /** Cuts every connection without an answer. */
  down: boolean
  /** Answers instead of the API when it returns something; comes before rate limit and failures. */
  override: ((request: FaultyRequest) => FaultAnswer | undefined) | null
  /** Makes every token issued so far invalid. New ones can be fetched at once. */
  revokeTokens(): void
}

/** Faults without a cloud. */
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

/** What production has been seen to say on a bad day, gateways and careless problem bodies included. */
const failures: readonly FaultAnswer[] = [
  { status: 500, body: { title: 'Internal Server Error', status: '500' } },
  { status: 502, body: '<html><body><h1>502 Bad Gateway</h1></body></html>' },
  { status: 503, body: { type: 'about:blank', title: 'Service Unavailable', traceId: 'demo-503' } },
  { status: 423, body: { title: 'Locked', status: 423, detail: 'The resource is locked. Try again.' } },
]

/**
 * Lets the faults act on every request, before the API itself sees it.
 * @param callerOf whom a request counts for
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
