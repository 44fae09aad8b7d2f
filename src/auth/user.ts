import type { Request, RequestHandler } from 'express'
import { coarseAddress } from '../http/coarse-address.ts'
import { isBackground } from '../http/background.ts'
import { endSession, renewSession, type SessionLimits } from '../http/session.ts'
import type { Logger } from '../logger.ts'
import type { UserGrant } from '../role.ts'
import { recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import type { Passport } from './passport.ts'
import { sessionEnd } from './session-end.ts'
import { rightsOf } from './session-of-user.ts'

declare global {
  namespace Express {
    /** Who is signed in, read afresh for every request, so that a revoked grant is gone at the next one. */
    interface User {
      readonly id: string
      readonly name: string | null
      /** The verified address; null before there is one, and then `requireVerifiedEmail` lets nothing through. */
      readonly email: string | null
      /** What the eID says, verified or not. */
      readonly eidEmail: string | null
      /** What this user may act as at this moment, by organisationKey(). */
      readonly grants: ReadonlyMap<string, UserGrant>
    }
  }
}

/** A page that somebody opens: renewing for a form or for a page's own request could cost them what they typed. */
const opensPage = (req: Request): boolean => req.method === 'GET' && !isBackground(req)

/**
 * `req.user`, and `res.locals.user` for the views, for a session that is signed in and not too old; the older ones end
 * here. When the user's rights have changed since the session saw them, it gets a new id.
 */
export const currentUser = (options: {
  readonly passport: Passport
  readonly limits: SessionLimits
  readonly database: Database
  readonly logger: Logger
}): RequestHandler[] => {
  const { passport, limits, database, logger } = options
  const endOld: RequestHandler = async (req, _res, next) => {
    const { signedInAt, passport: { user: userId } = {} } = req.session as typeof req.session & {
      passport?: { user?: string }
    }
    if (signedInAt === undefined || Date.now() - signedInAt < limits.absoluteMs) return next()
    await endSession(req)
    await recordAudit(database.kysely, logger, {
      event: 'session ended',
      userId,
      address: coarseAddress(req.ip),
      details: { reason: 'too old' },
    })
    return next()
  }
  const readUser: RequestHandler = (req, res, next) => {
    if (req.session.signedInAt === undefined) return next()
    const handler = passport.session() as RequestHandler
    void handler(req, res, next)
  }
  const renewAtChange: RequestHandler = async (req, res, next) => {
    res.locals.user = req.user ?? null
    if (!req.user || !opensPage(req)) return next()
    const rights = rightsOf(req.user)
    if (req.session.rights === rights) return next()
    req.session.rights = rights
    await renewSession(req)
    return next()
  }
  return [endOld, readUser, renewAtChange, sessionEnd(limits)]
}
