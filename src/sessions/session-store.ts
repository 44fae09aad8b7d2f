import { createHash } from 'node:crypto'
import type { Request } from 'express'
import session from 'express-session'
import type { Handle } from '../store/database.ts'
import { deleteSession, findSession, insertSession, updateSession } from '../store/sessions.ts'
import type { UserWithGrants } from '../store/users.ts'
import type { SessionLimits } from './session.ts'

/** The minimum interval between two writes of the last use. */
const touchIntervalMs = 60_000

/** The row of a session that this request has read or inserted; it may have been deleted since. */
type Stored = { endsAt: Date; readonly user: UserWithGrants | undefined }

/**
 * Sessions in the table `sessions`; each has a user. Only the request that begins a session inserts it, so that a slow request cannot
 * revive a session that has ended. express-session's `touch` is not used: requests call keepAlive().
 */
export class SessionStore extends session.Store {
  readonly #db: Handle
  readonly #limits: SessionLimits
  readonly #stored = new WeakMap<object, Stored>()

  constructor(db: Handle, limits: SessionLimits) {
    super()
    this.#db = db
    this.#limits = limits
  }

  /** The row of the request's session; undefined without one. */
  stored(req: Request): Readonly<Stored> | undefined {
    return this.#stored.get(req.session)
  }

  /** Reads the session's user again; undefined when the session has ended, or has another id. */
  async userNow(req: Request): Promise<UserWithGrants | undefined> {
    const found = await findSession(this.#db, rowId(req.sessionID))
    const endsByAge = (found?.signedInAt?.getTime() ?? 0) + this.#limits.absoluteMs
    return Date.now() < endsByAge ? found?.user : undefined
  }

  /** Postpones the idle end of the request's session. @returns the new end; undefined when it was not written */
  async keepAlive(req: Request): Promise<Date | undefined> {
    const stored = this.#stored.get(req.session)
    const { last_used_at, ends_at } = this.#usedNow()
    if (!stored || ends_at.getTime() - stored.endsAt.getTime() < touchIntervalMs) return undefined
    stored.endsAt = ends_at
    await updateSession(this.#db, rowId(req.sessionID), { last_used_at, ends_at })
    return ends_at
  }

  /** Gives the request's session a new id in one statement; a session that has ended meanwhile is not renewed. */
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
    callBack(this.#save(sid, data), done)
  }

  override destroy(...[sid, done]: Parameters<session.Store['destroy']>): void {
    callBack(deleteSession(this.#db, rowId(sid)), done)
  }

  async #read(sid: string): Promise<session.SessionData | null> {
    const found = await findSession(this.#db, rowId(sid))
    if (!found) return null
    const { signedInAt, encryptedIdToken, endsAt, user } = found
    const data: session.SessionData = {
      ...found.data,
      // The browser already has its cookie.
      cookie: { originalMaxAge: null },
      signedInAt: signedInAt.getTime(),
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
    // Strangers could multiply rows that belong to no user.
    if (!signIn || signedInAt === undefined) throw new Error('a session begins with a sign-in')
    const usedNow = this.#usedNow()
    await insertSession(this.#db, {
      id: rowId(sid),
      user_id: signIn.userId,
      signed_in_at: new Date(signedInAt),
      ...usedNow,
      device: signIn.device,
      address: signIn.address,
      eid_session_id: signIn.eidSessionId ?? null,
      encrypted_id_token: encryptedIdToken,
      data,
    })
    this.#stored.set(saved, { endsAt: usedNow.ends_at, user: undefined })
  }

  #usedNow(): { readonly last_used_at: Date; readonly ends_at: Date } {
    const now = Date.now()
    return { last_used_at: new Date(now), ends_at: new Date(now + this.#limits.idleMs) }
  }
}

function callBack(work: Promise<void>, done: ((error?: unknown) => void) | undefined): void {
  work.then(
    () => done?.(),
    (error: unknown) => done?.(error),
  )
}

/** The id of the row: a digest of the cookie's id, so that read access to the table yields no cookies. */
export function rowId(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('base64url')
}
