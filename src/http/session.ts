import connectPgSimple from 'connect-pg-simple'
import type { RequestHandler } from 'express'
import session from 'express-session'
import type { Logger } from '../logger.ts'
import type { Database } from '../store/database.ts'

/** A session ends this long after its last request … (OWASP ASVS 5, 7.3.1) */
export const idleTimeoutMs = 30 * 60_000
/** … and this long after sign-in, whatever happens meanwhile (OWASP ASVS 5, 7.3.2). */
export const absoluteTimeoutMs = 12 * 60 * 60_000

/** What a sign-in under way must remember until the eID provider sends the browser back. */
export type PendingSignIn = { readonly returnTo: string; readonly startedAt: number }

declare module 'express-session' {
  interface SessionData {
    /** When the user signed in, in ms since the epoch; absent before. */
    signedInAt?: number
    /** For the eID provider's logout (RP-initiated logout, id_token_hint). */
    idToken?: string
    /** Sign-ins under way in this browser, by their `state`. */
    pendingSignIns?: Record<string, PendingSignIn>
    csrfToken?: string
  }
}

/**
 * Server-side sessions in the database; the cookie holds only a signed id. Over https the cookie is Secure and
 * `__Host-` prefixed (RFC 6265bis), so that no other host or path can set it.
 */
export const sessions = (options: {
  readonly secrets: readonly string[]
  readonly https: boolean
  readonly database: Database
  readonly logger: Logger
}): RequestHandler => {
  const Store = connectPgSimple(session)
  const handle = session({
    name: options.https ? '__Host-portal' : 'portal',
    secret: [...options.secrets],
    store: new Store({
      pool: options.database.pool,
      tableName: 'sessions',
      createTableIfMissing: false,
      errorLog: (...details: unknown[]) =>
        options.logger.error({ details: details.map(String) }, 'session store'),
    }),
    resave: false,
    saveUninitialized: false,
    rolling: true,
    proxy: options.https,
    cookie: { httpOnly: true, sameSite: 'lax', secure: options.https, path: '/', maxAge: idleTimeoutMs },
  })
  return (req, res, next) => {
    // PORTAL_URL says how browsers reach us. A proxy ends TLS, and one that does not say so with
    // X-Forwarded-Proto would silently cost everybody their session cookie.
    if (options.https) req.headers['x-forwarded-proto'] = 'https'
    handle(req, res, next)
  }
}
