import { randomInt } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import type { Logger } from '../logger.ts'

/** Requests of one session in flight, and in one minute: more than the limits of a user, whose refusal is a page. */
const [mostInFlight, mostPerMinute] = [24, 1200]
/** Files and probes, which cost little, and logout tokens, which the eID provider sends. */
const notCounted = /^\/(assets\/|favicon\.svg|healthz|readyz|auth\/backchannel-logout)/
/** Names that a counter keeps; more, as from made-up cookies, restart the counts. */
const mostNames = 20_000
/**
 * How long a session waits for a refusal, at least and at most: a client that asks again at once would keep the process
 * busy refusing. Each waits for another time, so that refusals, and the requests that follow them, do not come at once.
 */
const [leastHoldMs, mostHoldMs] = [1000, 5000]
/** The least time between two lines in the log. */
const logEveryMs = 10_000

/**
 * Limits floods of requests before they cost anything: those without a signed-in user, of all addresses together, and
 * those of one session. A refusal is plain text and costs a twentieth of a page, so that signed-in users notice little.
 * `early` comes first in the app. `late` comes after the session, and counts requests whose cookie belongs to nobody.
 */
export function limitFloods(
  { https, anonymousPerSecond }: { readonly https: boolean; readonly anonymousPerSecond: number },
  logger: Logger,
): { readonly early: RequestHandler; readonly late: RequestHandler } {
  const cookie = https ? /(?:^|; ?)__Host-portal=([^;]{1,200})(?:;|$)/ : /(?:^|; ?)portal=([^;]{1,200})(?:;|$)/
  const sessionOf = (req: Request): string | undefined => cookie.exec(req.headers.cookie ?? '')?.[1]
  const anonymous = createCounter(1000)
  const ofSession = createCounter(60_000)
  const inFlight = new Map<string, number>()
  let [refused, loggedAt] = [0, -Infinity]

  function refuse(res: Response): void {
    refused += 1
    if (performance.now() - loggedAt > logEveryMs) {
      logger.warn({ refused }, 'requests refused: flood')
      ;[refused, loggedAt] = [0, performance.now()]
    }
    res.status(429).set({ 'Retry-After': '5', 'Content-Type': 'text/plain; charset=utf-8' }).end(refusal)
  }

  /** Counts a request in flight. @returns false over the limits of a session */
  function enter(session: string, res: Response): boolean {
    const now = inFlight.get(session) ?? 0
    if (now >= mostInFlight || ofSession(session) > mostPerMinute) return false
    inFlight.set(session, now + 1)
    res.once('close', () => {
      const left = (inFlight.get(session) ?? 1) - 1
      if (left > 0) inFlight.set(session, left)
      else inFlight.delete(session)
    })
    return true
  }

  return {
    early: (req, res, next) => {
      if (notCounted.test(req.path)) return next()
      const session = sessionOf(req)
      if (session === undefined) return anonymous('') <= anonymousPerSecond ? next() : refuse(res)
      if (enter(session, res)) return next()
      const held = setTimeout(refuse, randomInt(leastHoldMs, mostHoldMs), res)
      res.once('close', () => clearTimeout(held))
    },
    late: (req, res, next) => {
      const isStranger = !req.user && sessionOf(req) !== undefined
      return isStranger && anonymous('') > anonymousPerSecond ? refuse(res) : next()
    },
  }
}

/** Counts by name within periods of this length, and returns the count. */
function createCounter(periodMs: number): (name: string) => number {
  const counts = new Map<string, number>()
  let period = 0
  return (name) => {
    const now = Math.floor(performance.now() / periodMs)
    if (now !== period || counts.size >= mostNames) {
      counts.clear()
      period = now
    }
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return count
  }
}

const refusal = 'Too many requests are reaching the portal right now. Try again in a moment.\n'
