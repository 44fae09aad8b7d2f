import type { Request, RequestHandler } from 'express'
import { truncatedAddress } from '../http/truncated-address.ts'
import type { Logger } from '../logger.ts'
import { recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import type { UserWithGrants } from '../store/users.ts'
import type { SessionStore } from './session-store.ts'
import { endSession, type SessionLimits } from './session.ts'

/** What ends a session first: nobody using it, which can be put off, or its age, which cannot. */
type SessionEnd = { readonly kind: 'idle' | 'age'; readonly at: Date; readonly leftMs: number }

declare global {
  namespace Express {
    /** Who is signed in, read afresh for every request, so that a revoked grant is gone at the next one. */
    interface User extends UserWithGrants {}
    interface Locals {
      /** When the session ends if this request is its last, which public/js/session-timeout.js counts down; null without a user. */
      sessionEnd: SessionEnd | null
      /** Only a new sign-in helps, and soon. */
      sessionEndsSoon: boolean
    }
  }
}

/** Pages say so this long before the end. */
const warnMs = 5 * 60_000

/**
 * `req.user`, and `res.locals.user` and `sessionEnd` for the views, for a session that is signed in and not too old; those
 * that are end here. A request that a page sends by itself does not keep its session alive.
 */
export function currentUser(options: {
  readonly store: SessionStore
  readonly limits: SessionLimits
  readonly database: Database
  readonly logger: Logger
}): RequestHandler {
  const { store, limits, database, logger } = options
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
    if (!isBackground(req)) await store.keepAlive(req)
    const stored = store.stored(req)
    if (!stored?.user) return next()
    req.user = stored.user
    const sessionEnd = endOf(endsByAge, stored.endsAt.getTime())
    const sessionEndsSoon = sessionEnd.kind === 'age' && sessionEnd.leftMs < warnMs
    Object.assign(res.locals, { user: req.user, sessionEnd, sessionEndsSoon })
    return next()
  }
}

/** True for what a page asks for by itself (public/js sends the header). A lie only ends the sender's own session earlier. */
function isBackground(req: Request): boolean {
  return req.get('x-background') === '1'
}

function endOf(byAge: number, idle: number): SessionEnd {
  const at = Math.min(byAge, idle)
  return { kind: byAge <= idle ? 'age' : 'idle', at: new Date(at), leftMs: Math.max(0, at - Date.now()) }
}
