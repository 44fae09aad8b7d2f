import { randomBytes } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import session from 'express-session'
import type { Logger } from '../logger.ts'
import type { Database } from '../store/database.ts'
import type { UserWithGrants } from '../store/users.ts'
import type { Device } from './device.ts'
import { SessionStore } from './session-store.ts'

/** How long a session may last: after its last use (OWASP ASVS 5, 7.3.1), and in all (7.3.2). */
export type SessionLimits = { readonly idleMs: number; readonly absoluteMs: number }

/** What a sign-in under way must remember until the eID provider sends the browser back. */
export type PendingSignIn = { readonly returnTo: string; readonly startedAt: number }

declare module 'express-session' {
  interface SessionData {
    /** When the user signed in, in ms since the epoch; absent before. */
    signedInAt?: number
    /** For the eID provider's logout (RP-initiated logout, id_token_hint), sealed. */
    idToken?: string
    /** The eID provider's own session (`sid` of the ID token), which a back-channel logout may name. */
    eidSid?: string
    /** What signed in: for the user's list of sessions. */
    device?: Device
    /** Where from, as coarseAddress() gives it. */
    address?: string
    /** Digest of what the user might do when the session's id was made. */
    rights?: string
    /** Sign-ins under way in this browser, by their `state`. */
    pendingSignIns?: Record<string, PendingSignIn>
    csrfToken?: string
  }
}

/** 192 bits, as express-session's own. */
const newId = (): string => randomBytes(24).toString('base64url')

const storeOf = (req: Request): SessionStore => {
  const { sessionStore } = req
  if (!(sessionStore instanceof SessionStore)) throw new Error('this route is not behind sessions')
  return sessionStore
}

/** When the session ends if this request is its last, in ms since the epoch. */
export const idleEndOf = (req: Request): number => storeOf(req).endsAt(req)

/** The user of the request's session, read with it; undefined when nobody is signed in, or the user is gone. */
export const userOfSession = (req: Request): UserWithGrants | undefined => storeOf(req).userOf(req)

/**
 * Gives the session a new id at a change of rights: grants, a verified e-mail address. The user
 * stays signed in and everything else stays as it is, the CSRF token too, so that open forms work. Two requests at once
 * are no harm: for 30 s, or until the browser comes with the new id, the old one leads to it. Call it before the answer begins.
 */
export const renewSession = (req: Request): Promise<void> => storeOf(req).renew(req, newId())

/** Saves now: a redirect reaches the browser before express-session has saved, and the next request may be faster. */
export const saveSession = (req: Request): Promise<void> =>
  new Promise((resolve, reject) => {
    req.session.save((error?: unknown) => (error ? reject(error) : resolve()))
  })

/** Ends the session in the database at once; what the request still needs gets a new one, with a new id. */
export const endSession = async (req: Request): Promise<void> =>
  new Promise((resolve, reject) => {
    req.session.regenerate((error?: unknown) => (error ? reject(error) : resolve()))
  })

/**
 * Server-side sessions in the database; the cookie holds only a signed id. Over https the cookie is Secure and
 * `__Host-` prefixed (RFC 6265bis), so that no other host or path can set it. It is set when a session begins or its id is
 * renewed and never else (the database knows when it ends): the answer to a slow request would put the old session's
 * cookie over that of a sign-in which was faster.
 */
export const sessions = (options: {
  readonly secrets: readonly string[]
  readonly https: boolean
  readonly limits: SessionLimits
  readonly database: Database
  readonly logger: Logger
}): RequestHandler => {
  const { https, secrets, database, logger, limits } = options
  const name = https ? '__Host-portal' : 'portal'
  const cookie = { httpOnly: true, sameSite: 'lax', secure: https, path: '/' } as const
  const store = new SessionStore(database, logger, limits.idleMs)
  const handle = session({
    name,
    secret: [...secrets],
    store,
    genid: newId,
    resave: false,
    saveUninitialized: false,
    proxy: https,
    cookie,
  })
  return (req, res, next) => {
    // PORTAL_URL says how browsers reach us. A proxy ends TLS, and one that does not say so with
    // X-Forwarded-Proto would silently cost everybody their session cookie.
    if (https) req.headers['x-forwarded-proto'] = 'https'
    handle(req, res, (error?: unknown) => {
      // The answer that brought the new id was lost, or is under way.
      if (!error && store.cameWithOldId(req)) {
        Object.assign(req, { secret: secrets[0] })
        res.cookie(name, req.sessionID, { ...cookie, signed: true })
      }
      next(error)
    })
  }
}
