import { type Insertable, sql } from 'kysely'
import type { Handle } from './database.ts'
import type { SessionsTable } from './schema.ts'
import { readUserWithGrants, type UserWithGrants, userWithGrants } from './users.ts'

/** A session with its user and the grants now in force. */
export type StoredSession = {
  readonly signedInAt: Date
  readonly endsAt: Date
  readonly encryptedIdToken: string | null
  readonly data: Readonly<Record<string, unknown>>
  readonly user: UserWithGrants | undefined
}

/** A signed-in session, for the user's list of sessions. */
export type SignedInSession = {
  readonly id: string
  readonly browser: string | null
  readonly system: string | null
  /** Truncated. */
  readonly address: string | null
  readonly signedInAt: Date
  readonly usedAt: Date
}

/** The session, its user and their grants; one statement per request. */
export async function findSession(db: Handle, id: string, now = new Date()): Promise<StoredSession | undefined> {
  const row = await db
    .selectFrom('sessions')
    .select(['signed_in_at as signedInAt', 'ends_at as endsAt', 'encrypted_id_token as encryptedIdToken'])
    .select(['data', userWithGrants(sql.ref('sessions.user_id')).as('user')])
    .where('id', '=', id)
    .where('ends_at', '>', now)
    .executeTakeFirst()
  return row && { ...row, user: row.user ? readUserWithGrants(row.user) : undefined }
}

/** Inserts a new session, and deletes expired ones. */
export async function insertSession(db: Handle, session: Insertable<SessionsTable>): Promise<void> {
  await deleteEndedSessions(db, session.last_used_at)
  await db.insertInto('sessions').values(session).execute()
}

/** Deletes sessions that have ended. @returns how many */
export async function deleteEndedSessions(db: Handle, now = new Date()): Promise<number> {
  // Does not wait for a sign-out that deletes the same rows.
  const ended = db.selectFrom('sessions').select('id').where('ends_at', '<=', now)
  const deleted = await db.deleteFrom('sessions').where('id', 'in', ended.forUpdate().skipLocked()).executeTakeFirst()
  return Number(deleted.numDeletedRows)
}

/** Updates a session's data, id or end, unless it has ended. @returns whether it existed */
export async function updateSession(
  db: Handle,
  id: string,
  changes: Partial<Pick<SessionsTable, 'id' | 'data' | 'last_used_at' | 'ends_at'>>,
): Promise<boolean> {
  const update = db.updateTable('sessions').set(changes).where('id', '=', id)
  return (await update.executeTakeFirst()).numUpdatedRows === 1n
}

/** Deletes a session. */
export async function deleteSession(db: Handle, id: string): Promise<void> {
  await db.deleteFrom('sessions').where('id', '=', id).execute()
}

/** The user's sessions, newest first; sessions that began before `since` have expired. */
export function sessionsOfUser(db: Handle, userId: string, since: Date, now = new Date()): Promise<SignedInSession[]> {
  return db
    .selectFrom('sessions')
    .select(['id', 'address', 'last_used_at as usedAt', 'signed_in_at as signedInAt'])
    .select(sql<string | null>`device ->> 'browser'`.as('browser'))
    .select(sql<string | null>`device ->> 'system'`.as('system'))
    .where('user_id', '=', userId)
    .where('signed_in_at', '>', since)
    .where('ends_at', '>', now)
    .orderBy('signed_in_at', 'desc')
    .orderBy('id')
    .execute()
}

/** Ends the user's sessions: all, all but `except`, or `only` this one. @returns how many */
export async function endSessionsOfUser(
  db: Handle,
  userId: string,
  { except, only }: { readonly except?: string; readonly only?: string | undefined } = {},
  now = new Date(),
): Promise<number> {
  let remove = db.deleteFrom('sessions').where('user_id', '=', userId).where('ends_at', '>', now)
  if (except !== undefined) remove = remove.where('id', '<>', except)
  if (only !== undefined) remove = remove.where('id', '=', only)
  return Number((await remove.executeTakeFirst()).numDeletedRows)
}

/** Ends all but the `most` newest sessions. @returns how many */
export async function endOldestSessions(db: Handle, userId: string, most: number, now = new Date()): Promise<number> {
  const old = db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .where('ends_at', '>', now)
    .orderBy('signed_in_at', 'desc')
    .orderBy('id')
    .offset(most)
  return Number((await db.deleteFrom('sessions').where('id', 'in', old).executeTakeFirst()).numDeletedRows)
}

/**
 * Ends the sessions of an eID session, of a user, or of both. With both, sessions that do not know their eID session
 * end as well.
 * @returns the user of each session that ended
 */
export async function endSessionsOfEid(
  db: Handle,
  { userId, eidSid }: { readonly userId?: string | undefined; readonly eidSid?: string | undefined },
  now = new Date(),
): Promise<string[]> {
  if (userId === undefined && eidSid === undefined) return []
  let remove = db.deleteFrom('sessions').where('ends_at', '>', now)
  if (userId !== undefined) remove = remove.where('user_id', '=', userId)
  if (eidSid !== undefined)
    remove = remove.where((is) =>
      is.or([is('eid_session_id', '=', eidSid), ...(userId === undefined ? [] : [is('eid_session_id', 'is', null)])]),
    )
  const rows = await remove.returning('user_id').execute()
  return rows.map(({ user_id: user }) => user)
}

/** Remembers a logout token for `forgetAfterMs`. @returns false when it was used before */
export async function firstUse(db: Handle, id: string, forgetAfterMs: number): Promise<boolean> {
  await db
    .deleteFrom('logout_tokens')
    .where('forget_at', '<', sql<Date>`now()`)
    .execute()
  const row = { id, forget_at: sql<Date>`now() + ${forgetAfterMs}::float8 * interval '1 millisecond'` }
  const insert = db
    .insertInto('logout_tokens')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
  return (await insert.executeTakeFirst()).numInsertedOrUpdatedRows === 1n
}
