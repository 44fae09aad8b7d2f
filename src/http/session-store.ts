import connectPgSimple from 'connect-pg-simple'
import type { Request } from 'express'
import session from 'express-session'
import { sql } from 'kysely'
import type { Logger } from '../logger.ts'
import type { Database } from '../store/database.ts'
import { readUserWithGrants, type UserWithGrants, userWithGrants } from '../store/users.ts'
import { isBackground } from './background.ts'

const PgStore = connectPgSimple(session)

/** How long requests that are under way when an id is renewed, or whose answer got lost, may come with the old one. */
const graceSeconds = 30
/** A session that was used less than this long ago is not written only to say that it is used again. */
const touchAgainAfterMs = 60_000

/** What the row says beside the session itself. */
type Row = {
  sess: session.SessionData
  sid: string
  /** Numbers of any size are text. */
  left_ms: string
  renewed_from: string | null
  user: Parameters<typeof readUserWithGrants>[0] | null
}
type Loaded = {
  readonly sid: string
  readonly endsAt: number
  readonly renewed: boolean
  readonly user?: UserWithGrants | undefined
}

const call = (done: ((error?: unknown) => void) | undefined, work: Promise<unknown>): void => {
  work.then(
    () => done?.(),
    (error: unknown) => done?.(error),
  )
}

/**
 * connect-pg-simple, except that
 * - a session which has ended stays ended: the library inserts what it is told to save, so that a slow request would
 *   bring back the session that a sign-out or a sign-in ended meanwhile;
 * - an id can be renewed while requests are under way: the old one leads to the new one until somebody comes with
 *   that, and 30 s at most;
 * - what a page asks for by itself does not keep a session alive, and a use within a minute of another is not written;
 * - the user comes along in the one statement that every request asks.
 */
export class SessionStore extends PgStore {
  readonly #database: Database
  readonly #idleMs: number
  readonly #loaded = new WeakMap<object, Loaded>()

  constructor(database: Database, logger: Logger, idleMs: number) {
    super({
      pool: database.pool,
      tableName: 'sessions',
      createTableIfMissing: false,
      ttl: idleMs / 1000,
      errorLog: (...details: unknown[]) => logger.error({ details: details.map(String) }, 'session store'),
    })
    this.#database = database
    this.#idleMs = idleMs
  }

  /** When the session ends if this request is the last one, in ms since the epoch. */
  endsAt(req: Request): number {
    const idle = Date.now() + this.#idleMs
    const loaded = this.#loaded.get(req.session)
    return loaded && !this.#moves(req, loaded) ? loaded.endsAt : idle
  }

  /** True when the request came with an id that another one has taken the place of: the browser must be told which. */
  cameWithOldId(req: Request): boolean {
    return this.#loaded.get(req.session)?.renewed === true
  }

  /** The user of the session as it was read, with the grants of that moment; undefined when there is none, or no more. */
  userOf(req: Request): UserWithGrants | undefined {
    return this.#loaded.get(req.session)?.user
  }

  override get(...[sid, done]: Parameters<session.Store['get']>): void {
    this.#find(sid).then(
      (sess) => done(null, sess),
      (error: unknown) => done(error),
    )
  }

  override createSession(...[req, data]: Parameters<session.Store['createSession']>) {
    const from = this.#loaded.get(data)
    // The id that everything from here on means, whatever the browser came with.
    if (from) req.sessionID = from.sid
    const loaded = super.createSession(req, data)
    this.#loaded.set(loaded, from ?? { sid: req.sessionID, endsAt: 0, renewed: false })
    return loaded
  }

  override set(...[sid, data, done]: Parameters<session.Store['set']>): void {
    if (!this.#loaded.has(data))
      return super.set(sid, data, (error?: unknown) => {
        // It is there now: whatever is saved later must not make it anew.
        if (!error) this.#loaded.set(data, { sid, endsAt: Date.now() + this.#idleMs, renewed: false })
        done?.(error)
      })
    const update = 'update sessions set sess = $1 where sid = $2 and renewed_as is null'
    this.#database.pool.query(update, [data, sid]).then(
      () => this.touch(sid, data, done),
      (error: unknown) => done?.(error),
    )
  }

  override touch(...[sid, data, done]: Parameters<NonNullable<session.Store['touch']>>): void {
    const loaded = this.#loaded.get(data)
    const { req } = data as { req?: Request }
    if (loaded && req && !this.#moves(req, loaded)) return done?.()
    const idle = `now() + $2::float8 * interval '1 millisecond'`
    const update = `update sessions set used_at = now(), expire = ${idle} where sid = $1 and renewed_as is null`
    return call(done, this.#database.pool.query(update, [sid, this.#idleMs]))
  }

  /**
   * Gives the request's session a new id and keeps what is in it. When another request has just done so, or the session
   * has ended, nothing happens: the id that the browser has works or does not, as it should.
   */
  async renew(req: Request, newId: string): Promise<void> {
    const old = req.sessionID
    const client = await this.#database.pool.connect()
    try {
      await client.query('begin')
      const { rows } = await client.query<{ sid: string }>(
        `update sessions set renewed_as = $1, sess = '{}', expire = now() + $2::float8 * interval '1 second'
         where sid = $3 and renewed_as is null returning sid`,
        [newId, graceSeconds, old],
      )
      if (rows.length > 0) {
        const idle = `now() + $3::float8 * interval '1 millisecond'`
        const insert = `insert into sessions (sess, sid, expire, renewed_from) values ($1, $2, ${idle}, $4)`
        await client.query(insert, [req.session, newId, this.#idleMs, old])
      }
      await client.query('commit')
      if (rows.length === 0) return
    } catch (error) {
      await client.query('rollback').catch(() => {})
      throw error
    } finally {
      client.release()
    }
    const data = JSON.parse(JSON.stringify(req.session)) as session.SessionData
    req.sessionID = newId
    this.createSession(req, data)
  }

  #moves(req: Request, { endsAt }: Loaded): boolean {
    return !isBackground(req) && endsAt < Date.now() + this.#idleMs - touchAgainAfterMs
  }

  async #find(sid: string): Promise<session.SessionData | null> {
    const { rows } = await sql<Row>`
      select now.sess, now.sid, now.renewed_from,
        extract(epoch from (now.expire - now()::timestamp)) * 1000 as left_ms,
        ${userWithGrants(sql`now.user_id`)} as user
      from sessions came
      join sessions now on now.sid = coalesce(came.renewed_as, came.sid) and now.renewed_as is null
      where came.sid = ${sid} and came.expire > now()::timestamp and now.expire > now()::timestamp
    `.execute(this.#database.kysely)
    const [row] = rows
    if (!row) return null
    const renewed = row.sid !== sid
    // The browser has the new id: from now on the old one is worth nothing.
    if (row.renewed_from !== null && !renewed) await this.#forget(row.sid, row.renewed_from)
    const user = row.user ? readUserWithGrants(row.user) : undefined
    this.#loaded.set(row.sess, { sid: row.sid, endsAt: Date.now() + Number(row.left_ms), renewed, user })
    return row.sess
  }

  async #forget(sid: string, old: string): Promise<void> {
    await this.#database.pool.query('delete from sessions where sid = $1', [old])
    await this.#database.pool.query('update sessions set renewed_from = null where sid = $1', [sid])
  }
}
