import { type Insertable, sql } from 'kysely'
import type { Handle } from './database.ts'
import type { SessionsTable } from './schema.ts'
import { readUserWithGrants, type UserWithGrants, userWithGrants } from './users.ts'

/** A session as a request finds it, with its user and their grants of this moment; no user before sign-in. */
export type StoredSession = {
  readonly signedInAt: Date | null
  readonly endsAt: Date
  readonly encryptedIdToken: string | null
  readonly data: Readonly<Record<string, unknown>>
  readonly user: UserWithGrants | undefined
}

/** A session that its user is signed in with, for their list. */
export type SignedInSession = {
  readonly id: string
  readonly browser: string | null
  readonly system: string | null
  /** Truncated. */
  readonly address: string | null
  readonly signedInAt: Date
  readonly usedAt: Date
}

/** The session, its user and their grants, in the one statement that every request asks. */
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

/** Stores a new session, and deletes those that have ended. */
export async function insertSession(db: Handle, session: Insertable<SessionsTable>): Promise<void> {
  // A sign-out that deletes the same rows at this moment is not waited for.
  const ended = db.selectFrom('sessions').select('id').where('ends_at', '<=', session.last_used_at)
  await db.deleteFrom('sessions').where('id', 'in', ended.forUpdate().skipLocked()).execute()
  await db.insertInto('sessions').values(session).execute()
}

/** Changes what a session holds, its id, or when it ends; nothing when it has ended. @returns whether it was there */
export async function updateSession(
  db: Handle,
  id: string,
  changes: Partial<Pick<SessionsTable, 'id' | 'data' | 'last_used_at' | 'ends_at'>>,
): Promise<boolean> {
  const update = db.updateTable('sessions').set(changes).where('id', '=', id)
  return (await update.executeTakeFirst()).numUpdatedRows === 1n
}

export async function deleteSession(db: Handle, id: string): Promise<void> {
  await db.deleteFrom('sessions').where('id', '=', id).execute()
}

/** The user's sessions, the one that began last first; those that began before `since` are too old to be used. */
export function sessionsOfUser(db: Handle, userId: string, since: Date, now = new Date()): Promise<SignedInSession[]> {
  return db
    .selectFrom('sessions')
    .select(['id', 'address', 'last_used_at as usedAt'])
    .select((row) => row.ref('signed_in_at').$notNull().as('signedInAt'))
    .select(sql<string | null>`device ->> 'browser'`.as('browser'))
    .select(sql<string | null>`device ->> 'system'`.as('system'))
    .where('user_id', '=', userId)
    .where('signed_in_at', '>', since)
    .where('ends_at', '>', now)
    .orderBy('signed_in_at', 'desc')
    .orderBy('id')
    .execute()
}

/** Ends the user's sessions: all, or all but `except`, or `only` this one of those. @returns how many */
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

/** Ends all but the `most` sessions that began last. @returns how many */
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
 * Ends what the eID says has ended: its own session, a user, or a user's session there. One that does not know which of
 * the eID's sessions it came from ends with any of its user's.
 * @returns the user of each session that ended
 */
export async function endSessionsOfEid(
  db: Handle,
  { userId, eidSid }: { readonly userId?: string | undefined; readonly eidSid?: string | undefined },
  now = new Date(),
): Promise<string[]> {
  if (userId === undefined && eidSid === undefined) return []
  let remove = db.deleteFrom('sessions').where('user_id', 'is not', null).where('ends_at', '>', now)
  if (userId !== undefined) remove = remove.where('user_id', '=', userId)
  if (eidSid !== undefined)
    remove = remove.where((is) =>
      is.or([is('eid_session_id', '=', eidSid), ...(userId === undefined ? [] : [is('eid_session_id', 'is', null)])]),
    )
  const rows = await remove.returning('user_id').execute()
  return rows.flatMap(({ user_id: user }) => user ?? [])
}

/** Remembers a logout token for so long. @returns false when it was known: it is sent again */
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
