import type { RequestHandler } from 'express'
import { absoluteTimeoutMs } from '../http/session.ts'
import type { UserGrant } from '../role.ts'
import type { Passport } from './passport.ts'
import { endSession } from './sign-in.ts'

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

/** `req.user`, and `res.locals.user` for the views, for a session that is signed in and not too old; the older ones end here. */
export const currentUser = (passport: Passport): RequestHandler[] => [
  async (req, _res, next) => {
    const { signedInAt } = req.session
    if (signedInAt === undefined || Date.now() - signedInAt < absoluteTimeoutMs) return next()
    await endSession(req)
    return next()
  },
  (req, res, next) => {
    if (req.session.signedInAt === undefined) return next()
    const handler = passport.session() as RequestHandler
    void handler(req, res, next)
  },
  (req, res, next) => {
    res.locals.user = req.user ?? null
    next()
  },
]
