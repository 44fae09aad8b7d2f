import { randomInt } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import type { Logger } from '../logger.ts'

/** Requests of one session in flight, of which downloads leave some, and in one minute: twice the limit of a user. */
const [mostInFlight, mostPerMinute] = [4, 1200]
/** Files and probes, which cost little, and logout tokens, which the eID provider sends. */
const notCounted = /^\/(assets\/|favicon\.svg|healthz|readyz|auth\/backchannel-logout)/
/** Names that a counter keeps; more, as from made-up cookies, restart the counts. */
const mostNames = 20_000
/** Requests of a session that wait for a place, as when a user opens many pages at once, and for how long. */
const [mostWaiting, patienceMs] = [30, 10_000]
/**
 * How long more of them wait for their refusal, at least and at most: a client that asks again at once would keep the
 * process busy refusing. Each waits for another time, so that they do not come back at once.
 */
const [leastWaitMs, mostWaitMs] = [1000, 5000]
/** The least time between two lines in the log. */
const logEveryMs = 10_000

/**
 * Limits floods of requests before they cost anything: those without a signed-in user, of all addresses together, and
 * those of one session, which wait for a few in flight. A refusal is plain text and costs a twentieth of a page, so that
 * signed-in users notice little.
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
  const sessions = new Map<string, InFlight>()
  let [refused, loggedAt] = [0, -Infinity]

  function refuse(res: Response): void {
    refused += 1
    if (performance.now() - loggedAt > logEveryMs) {
      logger.warn({ refused }, 'requests refused: flood')
      ;[refused, loggedAt] = [0, performance.now()]
    }
    res.status(429).set({ 'Retry-After': '5', 'Content-Type': 'text/plain; charset=utf-8' }).end(refusal)
  }

  /** Passes the request on when the session has a place, and refuses it when it has none for too long. */
  function enter(session: string, res: Response, pass: () => void): void {
    const mine = sessions.get(session) ?? { count: 0, waiting: new Set() }
    sessions.set(session, mine)
    const isOver = ofSession(session) > mostPerMinute || mine.waiting.size >= mostWaiting
    const start = (): void => {
      mine.count += 1
      res.once('close', () => {
        mine.count -= 1
        const [following] = mine.waiting
        if (following) following()
        else if (mine.count === 0) sessions.delete(session)
      })
      pass()
    }
    if (!isOver && mine.count < mostInFlight) return start()
    const leave = (): void => {
      clearTimeout(timer)
      mine.waiting.delete(follow)
      if (mine.count === 0 && mine.waiting.size === 0) sessions.delete(session)
    }
    const follow = (): void => {
      clearTimeout(timer)
      res.off('close', leave)
      mine.waiting.delete(follow)
      start()
    }
    const giveUp = (): void => {
      mine.waiting.delete(follow)
      refuse(res)
    }
    const timer = setTimeout(giveUp, isOver ? randomInt(leastWaitMs, mostWaitMs) : patienceMs)
    res.once('close', leave)
    if (!isOver) mine.waiting.add(follow)
    return undefined
  }

  return {
    early: (req, res, next) => {
      if (notCounted.test(req.path)) return next()
      const session = sessionOf(req)
      if (session === undefined) return anonymous('') <= anonymousPerSecond ? next() : refuse(res)
      return enter(session, res, next)
    },
    late: (req, res, next) => {
      const isStranger = !req.user && sessionOf(req) !== undefined
      return isStranger && anonymous('') > anonymousPerSecond ? refuse(res) : next()
    },
  }
}

/** The requests of a session: how many are in flight, and how to start those that wait, in their order. */
type InFlight = { count: number; readonly waiting: Set<() => void> }

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
