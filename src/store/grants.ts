import { sql } from 'kysely'
import { type OrganisationReference, organisationKey } from '../organisation.ts'
import type { Handle } from './database.ts'

/** A grant with the name of its user, if that user has signed in. `organisation` is an organisation key. */
export type ListedGrant = {
  readonly userId: string
  readonly userName: string | null
  readonly organisation: string
  readonly grantedAt: Date
}

/** The keys of the organisations that the user may act as, sorted. */
export const grantsOf = async (db: Handle, userId: string): Promise<string[]> => {
  const query = db.selectFrom('grants').select('organisation').where('user_id', '=', userId)
  const rows = await query.orderBy(sql`organisation collate "C"`).execute()
  return rows.map(({ organisation }) => organisation)
}

/** @returns whether it is new: false when the user had it already */
export const addGrant = async (
  db: Handle,
  organisation: OrganisationReference,
  userId: string,
): Promise<boolean> => {
  const row = { user_id: userId, organisation: organisationKey(organisation) }
  const insert = db.insertInto('grants').values(row)
  const added = await insert.onConflict((conflict) => conflict.doNothing()).executeTakeFirst()
  return added.numInsertedOrUpdatedRows === 1n
}

/** @returns whether it was there; it is gone for the very next query either way */
export const removeGrant = async (
  db: Handle,
  organisation: OrganisationReference,
  userId: string,
): Promise<boolean> => {
  const remove = db.deleteFrom('grants').where('user_id', '=', userId)
  const removed = await remove.where('organisation', '=', organisationKey(organisation)).executeTakeFirst()
  return removed.numDeletedRows === 1n
}

/** Every grant, by user and organisation; also of users who have not signed in yet. */
export const listGrants = (db: Handle): Promise<ListedGrant[]> =>
  db
    .selectFrom('grants')
    .leftJoin('users', 'users.id', 'grants.user_id')
    .select(['user_id as userId', 'name as userName', 'organisation', 'granted_at as grantedAt'])
    .orderBy('user_id')
    .orderBy(sql`organisation collate "C"`)
    .execute()
