import { createHash } from 'node:crypto'
import type { Request } from 'express'
import session from 'express-session'
import type { Handle } from '../store/database.ts'
import { deleteSession, findSession, insertSession, updateSession } from '../store/sessions.ts'
import type { UserWithGrants } from '../store/users.ts'

/** A use less than this long after the last one is not written. */
const touchAgainAfterMs = 60_000

/** A session whose row exists, or existed when this request read or inserted it. */
type Stored = { endsAt: Date; readonly user: UserWithGrants | undefined }

/**
 * Sessions in the table `sessions`. A session is inserted by the request that begins it and by no other: what a slow
 * request saves after the session has ended does not bring it back. express-session calls no `touch`: a request
 * says itself that it is a use.
 */
export class SessionStore extends session.Store {
  readonly #db: Handle
  readonly #idleMs: number
  readonly #stored = new WeakMap<object, Stored>()

  constructor(db: Handle, idleMs: number) {
    super()
    this.#db = db
    this.#idleMs = idleMs
  }

  /** What the row of the request's session says; undefined for one that has none. */
  stored(req: Request): Readonly<Stored> | undefined {
    return this.#stored.get(req.session)
  }

  /** Puts the end of the request's session off. */
  async keepAlive(req: Request): Promise<void> {
    const stored = this.#stored.get(req.session)
    const { last_used_at, ends_at } = this.#usedNow()
    if (!stored || ends_at.getTime() - stored.endsAt.getTime() < touchAgainAfterMs) return
    stored.endsAt = ends_at
    await updateSession(this.#db, rowId(req.sessionID), { last_used_at, ends_at })
  }

  /** Gives the request's session a new id in one statement; one that has ended meanwhile is not continued. */
  async renew(req: Request): Promise<void> {
    const { session: old, sessionID: oldId } = req
    const stored = this.#stored.get(old)
    req.sessionStore.generate(req)
    if (!stored || !(await updateSession(this.#db, rowId(oldId), { id: rowId(req.sessionID) }))) return
    this.#stored.set(Object.assign(req.session, old, { cookie: req.session.cookie }), stored)
  }

  override get(...[sid, done]: Parameters<session.Store['get']>): void {
    this.#read(sid).then(
      (data) => done(null, data),
      (error: unknown) => done(error),
    )
  }

  override createSession(...[req, data]: Parameters<session.Store['createSession']>) {
    const created = super.createSession(req, data)
    const stored = this.#stored.get(data)
    if (stored) this.#stored.set(created, stored)
    return created
  }

  override set(...[sid, data, done]: Parameters<session.Store['set']>): void {
    tell(this.#save(sid, data), done)
  }

  override destroy(...[sid, done]: Parameters<session.Store['destroy']>): void {
    tell(deleteSession(this.#db, rowId(sid)), done)
  }

  async #read(sid: string): Promise<session.SessionData | null> {
    const found = await findSession(this.#db, rowId(sid))
    if (!found) return null
    const { signedInAt, encryptedIdToken, endsAt, user } = found
    const data: session.SessionData = {
      ...found.data,
      // The browser has its cookie.
      cookie: { originalMaxAge: null },
      ...(signedInAt ? { signedInAt: signedInAt.getTime() } : {}),
      ...(encryptedIdToken === null ? {} : { encryptedIdToken }),
    }
    this.#stored.set(data, { endsAt, user })
    return data
  }

  async #save(sid: string, saved: session.SessionData): Promise<void> {
    const { cookie: _cookie, signedInAt, encryptedIdToken = null, signIn, ...data } = saved
    if (this.#stored.has(saved)) {
      await updateSession(this.#db, rowId(sid), { data })
      return
    }
    const usedNow = this.#usedNow()
    await insertSession(this.#db, {
      id: rowId(sid),
      user_id: signIn?.userId ?? null,
      signed_in_at: signedInAt === undefined ? null : new Date(signedInAt),
      ...usedNow,
      device: signIn?.device ?? null,
      address: signIn?.address ?? null,
      eid_session_id: signIn?.eidSessionId ?? null,
      encrypted_id_token: encryptedIdToken,
      data,
    })
    this.#stored.set(saved, { endsAt: usedNow.ends_at, user: undefined })
  }

  #usedNow(): { readonly last_used_at: Date; readonly ends_at: Date } {
    const now = Date.now()
    return { last_used_at: new Date(now), ends_at: new Date(now + this.#idleMs) }
  }
}

function tell(work: Promise<void>, done: ((error?: unknown) => void) | undefined): void {
  work.then(
    () => done?.(),
    (error: unknown) => done?.(error),
  )
}

/** The id of the row: a digest, so that the table gives nobody a cookie. */
export function rowId(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('base64url')
}
