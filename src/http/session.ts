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
 * connect-pg-simple, except that a session which has ended stays ended: the library inserts what it is told to
 * save, so that a slow request would bring back the session that a sign-out or a sign-in ended meanwhile.
 */
const createStore = (database: Database, logger: Logger): session.Store => {
  const Store = connectPgSimple(session)
  class SessionStore extends Store {
    readonly #fromDatabase = new WeakSet<object>()

    override createSession(...[req, data]: Parameters<session.Store['createSession']>) {
      const loaded = super.createSession(req, data)
      this.#fromDatabase.add(loaded)
      return loaded
    }

    override set(...[sid, data, done]: Parameters<session.Store['set']>): void {
      if (!this.#fromDatabase.has(data)) return super.set(sid, data, done)
      database.pool.query('update sessions set sess = $1 where sid = $2', [data, sid]).then(
        () => this.touch(sid, data, done),
        (error: unknown) => done?.(error),
      )
    }
  }
  return new SessionStore({
    pool: database.pool,
    tableName: 'sessions',
    createTableIfMissing: false,
    ttl: idleTimeoutMs / 1000,
    errorLog: (...details: unknown[]) => logger.error({ details: details.map(String) }, 'session store'),
  })
}

/**
 * Server-side sessions in the database; the cookie holds only a signed id. Over https the cookie is Secure and
 * `__Host-` prefixed (RFC 6265bis), so that no other host or path can set it. It is set when a session begins and
 * never again (the database knows when it ends): the answer to a slow request would else put the old session's
 * cookie over that of a sign-in which was faster.
 */
export const sessions = (options: {
  readonly secrets: readonly string[]
  readonly https: boolean
  readonly database: Database
  readonly logger: Logger
}): RequestHandler => {
  const handle = session({
    name: options.https ? '__Host-portal' : 'portal',
    secret: [...options.secrets],
    store: createStore(options.database, options.logger),
    resave: false,
    saveUninitialized: false,
    proxy: options.https,
    cookie: { httpOnly: true, sameSite: 'lax', secure: options.https, path: '/' },
  })
  return (req, res, next) => {
    // PORTAL_URL says how browsers reach us. A proxy ends TLS, and one that does not say so with
    // X-Forwarded-Proto would silently cost everybody their session cookie.
    if (options.https) req.headers['x-forwarded-proto'] = 'https'
    handle(req, res, next)
  }
}
