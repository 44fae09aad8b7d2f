import { randomBytes } from 'node:crypto'
import type { RequestHandler } from 'express'
import session from 'express-session'
import type { Logger } from '../logger.ts'
import type { Database } from '../store/database.ts'
import { currentUser } from './current-user.ts'
import { SessionStore } from './session-store.ts'
import type { SessionLimits } from './session.ts'

/**
 * Server-side sessions in the database, and their users; the cookie holds only a signed id. Over https the cookie is
 * Secure and `__Host-` prefixed (RFC 6265bis), so that no other host or path can set it. It is only sent when the
 * session gets its id (the database knows when it ends): otherwise the response of a slow request could overwrite the
 * cookie of a newer sign-in.
 */
export function sessions(options: {
  readonly secrets: readonly string[]
  readonly https: boolean
  readonly limits: SessionLimits
  readonly database: Database
  readonly logger: Logger
}): RequestHandler[] {
  const { https, secrets, database, limits } = options
  const store = new SessionStore(database.kysely, limits)
  const handle = session({
    name: https ? '__Host-portal' : 'portal',
    secret: [...secrets],
    store,
    // 192 bits, as in express-session.
    genid: () => randomBytes(24).toString('base64url'),
    resave: false,
    saveUninitialized: false,
    proxy: https,
    cookie: { httpOnly: true, sameSite: 'lax', secure: https, path: '/' },
  })
  const readSession: RequestHandler = (req, res, next) => {
    // PORTAL_URL decides about https. Behind a TLS proxy without X-Forwarded-Proto, express-session would silently drop
    // its cookie.
    if (https) req.headers['x-forwarded-proto'] = 'https'
    handle(req, res, next)
  }
  return [readSession, currentUser({ ...options, store })]
}
