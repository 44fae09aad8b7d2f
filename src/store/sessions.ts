import { sql } from 'kysely'
import type { Handle } from './database.ts'

/** A session that somebody is signed in with. `sid` is the id in the cookie: it never leaves the server. */
export type SignedInSession = {
  readonly sid: string
  readonly browser: string | null
  readonly system: string | null
  /** Coarse. */
  readonly address: string | null
  readonly signedInAt: Date
  readonly usedAt: Date
}

const alive = (db: Handle, userId: string) =>
  db
    .selectFrom('sessions')
    .where('user_id', '=', userId)
    .where('signed_in_at', 'is not', null)
    .where('expire', '>', sql<Date>`now()::timestamp`)

/** The user's sessions, the one that began last first; those of before `since` have ended, whatever the row says. */
export const sessionsOfUser = async (db: Handle, userId: string, since: Date): Promise<SignedInSession[]> => {
  const rows = await alive(db, userId)
    .select(['sid', 'used_at', 'signed_in_at'])
    .select(sql<string | null>`sess -> 'device' ->> 'browser'`.as('browser'))
    .select(sql<string | null>`sess -> 'device' ->> 'system'`.as('system'))
    .select(sql<string | null>`sess ->> 'address'`.as('address'))
    .where('signed_in_at', '>', String(since.getTime()))
    .orderBy('signed_in_at', 'desc')
    .orderBy('sid')
    .execute()
  return rows.map(({ used_at: usedAt, signed_in_at: signedInAt, ...rest }) => ({
    ...rest,
    usedAt,
    signedInAt: new Date(Number(signedInAt)),
  }))
}

/** Ends these sessions of the user's. @returns how many there were */
export const endSessions = async (db: Handle, userId: string, sids: readonly string[]): Promise<number> => {
  if (sids.length === 0) return 0
  const remove = db.deleteFrom('sessions').where('user_id', '=', userId).where('sid', 'in', sids)
  return Number((await remove.executeTakeFirst()).numDeletedRows)
}

/** Ends every session of the user. @returns how many there were that had not ended by themselves */
export const endSessionsOfUser = async (db: Handle, userId: string): Promise<number> => {
  const { length } = await alive(db, userId).select('sid').execute()
  await db.deleteFrom('sessions').where('user_id', '=', userId).execute()
  return length
}

/** Ends all but the `most` sessions that began last. @returns how many */
export const endOldestSessions = async (db: Handle, userId: string, most: number): Promise<number> => {
  const old = alive(db, userId).select('sid').orderBy('signed_in_at', 'desc').orderBy('sid').offset(most)
  const removed = await db.deleteFrom('sessions').where('sid', 'in', old).executeTakeFirst()
  return Number(removed.numDeletedRows)
}

/**
 * Ends what the eID says has ended: its own session, a user, or a user's session there. One that does not know which of
 * the eID's sessions it came from ends with any of its user's.
 * @returns the user of each session that ended
 */
export const endSessionsOfEid = async (
  db: Handle,
  { userId, eidSid }: { readonly userId?: string | undefined; readonly eidSid?: string | undefined },
): Promise<string[]> => {
  if (userId === undefined && eidSid === undefined) return []
  let remove = db.deleteFrom('sessions').where('user_id', 'is not', null)
  if (userId !== undefined) remove = remove.where('user_id', '=', userId)
  if (eidSid !== undefined)
    remove = remove.where((is) =>
      is.or([is('eid_sid', '=', eidSid), ...(userId === undefined ? [] : [is('eid_sid', 'is', null)])]),
    )
  const rows = await remove.returning('user_id').execute()
  return rows.flatMap(({ user_id: user }) => user ?? [])
}

/** Remembers a logout token for so long. @returns false when it was known: somebody sends it again */
export const firstUse = async (db: Handle, id: string, forgetAfterMs: number): Promise<boolean> => {
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
