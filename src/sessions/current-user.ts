import type { Request, RequestHandler } from 'express'
import { truncatedAddress } from '../http/truncated-address.ts'
import type { Logger } from '../logger.ts'
import { recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import type { UserWithGrants } from '../store/users.ts'
import { noteIdleEnd } from './last-session.ts'
import type { SessionStore } from './session-store.ts'
import { endSession, type SessionLimits } from './session.ts'

/** The end of a session: `idle` is postponed by use, `age` is not. */
type SessionEnd = { readonly kind: 'idle' | 'age'; readonly at: Date; readonly leftMs: number }

declare global {
  namespace Express {
    /** The signed-in user, read from the database at every request, so that a revoked grant ends at the next one. */
    interface User extends UserWithGrants {}
    interface Request {
      /** Undefined before sign-in; set by `currentUser`. */
      user?: User | undefined
    }
    interface Locals {
      /**
       * When the session ends without another request, for the countdown of public/js/session-timeout.js; null without
       * a user.
       */
      sessionEnd: SessionEnd | null
      /** The session ends soon by age, so only a new sign-in helps. */
      sessionEndsSoon: boolean
    }
  }
}

/** How long before the end pages warn the user. */
const warnMs = 5 * 60_000

/**
 * Sets `req.user`, and `res.locals.user` and `sessionEnd` for the views, when the session is signed in. Ends sessions
 * over the maximum age. Background requests of a page do not extend the session.
 */
export function currentUser(options: {
  readonly store: SessionStore
  readonly limits: SessionLimits
  readonly https: boolean
  readonly database: Database
  readonly logger: Logger
}): RequestHandler {
  const { store, limits, https, database, logger } = options
  return async (req, res, next) => {
    const { user } = store.stored(req) ?? {}
    const endsByAge = (req.session.signedInAt ?? 0) + limits.absoluteMs
    if (user && Date.now() >= endsByAge) {
      await endSession(req)
      const details = { reason: 'too old' }
      const address = truncatedAddress(req.ip)
      await recordAudit(database.kysely, logger, {
        event: 'session ended',
        userId: user.id,
        address,
        details,
      })
      return next()
    }
    const postponed = isBackground(req) ? undefined : await store.keepAlive(req)
    if (postponed) noteIdleEnd(res, postponed, https)
    const stored = store.stored(req)
    if (!stored?.user) return next()
    req.user = stored.user
    const sessionEnd = endOf(endsByAge, stored.endsAt.getTime())
    const sessionEndsSoon = sessionEnd.kind === 'age' && sessionEnd.leftMs < warnMs
    Object.assign(res.locals, { user: req.user, sessionEnd, sessionEndsSoon })
    return next()
  }
}

/**
 * True for background requests of a page (public/js sends the header). A forged header only shortens the sender's own
 * session.
 */
function isBackground(req: Request): boolean {
  return req.get('x-background') === '1'
}

function endOf(byAge: number, idle: number): SessionEnd {
  const at = Math.min(byAge, idle)
  return { kind: byAge <= idle ? 'age' : 'idle', at: new Date(at), leftMs: Math.max(0, at - Date.now()) }
}
