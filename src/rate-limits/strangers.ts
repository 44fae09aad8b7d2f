import type { Request, RequestHandler } from 'express'
import type { Logger } from '../logger.ts'

/** Files and probes, which cost little, and logout tokens, which the eID provider sends. */
const notCounted = /^\/(assets\/|favicon\.svg|healthz|readyz|auth\/backchannel-logout)/
/** The least time between two lines in the log. */
const logEveryMs = 10_000

/**
 * Limits the requests without a signed-in user, of all addresses together, so that a flood from many addresses takes
 * little from signed-in users. What comes over the limit is refused in plain text, which costs a twentieth of a page.
 * `early` comes first and counts requests without a session cookie; `late` comes after the session, and counts those
 * whose cookie belongs to nobody.
 */
export function limitStrangers(
  { https, anonymousPerSecond }: { readonly https: boolean; readonly anonymousPerSecond: number },
  logger: Logger,
): { readonly early: RequestHandler; readonly late: RequestHandler } {
  const cookie = https ? '__Host-portal=' : 'portal='
  let [second, counted, refused, loggedAt] = [0, 0, 0, -Infinity]

  function isOver(): boolean {
    const now = performance.now()
    if (Math.floor(now / 1000) !== second) [second, counted] = [Math.floor(now / 1000), 0]
    counted += 1
    if (counted <= anonymousPerSecond) return false
    refused += 1
    if (now - loggedAt > logEveryMs) {
      logger.warn({ refused }, 'requests refused: too many without a session')
      loggedAt = now
      refused = 0
    }
    return true
  }
  const limit =
    (isCounted: (req: Request) => boolean): RequestHandler =>
    (req, res, next) => {
      if (!isCounted(req) || !isOver()) return next()
      return res.status(429).set({ 'Retry-After': '5', 'Content-Type': 'text/plain; charset=utf-8' }).end(refusal)
    }
  const hasCookie = (req: Request): boolean => req.headers.cookie?.includes(cookie) === true
  return {
    early: limit((req) => !hasCookie(req) && !notCounted.test(req.path)),
    late: limit((req) => hasCookie(req) && !req.user),
  }
}

const refusal = 'Too many requests reach the portal just now. Try again in a moment.\n'
