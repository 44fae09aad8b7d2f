import { sql } from 'kysely'
import { type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import type { Role } from '../domain/role.ts'
import type { Handle } from './database.ts'

/** The terms of a grant. `until` is its last day, `2026-12-31`, inclusive in UTC; null: no end. */
export type GrantTerms = {
  readonly role: Role
  readonly until: string | null
  /** The operator who gave or last changed it; null for grants older than this column. */
  readonly by: string | null
  readonly reason: string | null
}

/** The user and the organisation of a grant; `organisation` is an organisationKey(). */
export type GrantKey = { readonly userId: string; readonly organisation: string }

/** A grant as stored. `isOver`: it has expired; `grantedAt` is when it was last given or changed. */
export type StoredGrant = GrantKey & GrantTerms & { readonly grantedAt: Date; readonly isOver: boolean }

/** A grant with the name of its user, if that user has signed in. */
export type ListedGrant = StoredGrant & { readonly userName: string | null }

/** SQL: whether a row of `grants` is in force now, by the database's clock. */
export const isInForce = sql<boolean>`(grants.ends_at is null or grants.ends_at > now())`

/** SQL: the last day of a row of `grants`; null without an end. */
export const lastDay = sql<string | null>`to_char((grants.ends_at at time zone 'UTC') - interval '1 day', 'YYYY-MM-DD')`

/** Every grant by user and organisation, including expired ones and those of users who never signed in. */
export function listGrants(db: Handle): Promise<ListedGrant[]> {
  return allGrants(db).execute()
}

function allGrants(db: Handle) {
  return db
    .selectFrom('grants')
    .leftJoin('users', 'users.id', 'grants.user_id')
    .select(['user_id as userId', 'name as userName', 'organisation', 'granted_at as grantedAt'])
    .select(['role', 'granted_by as by', 'reason', lastDay.as('until'), sql<boolean>`not ${isInForce}`.as('isOver')])
    .orderBy('user_id')
    .orderBy(sql`organisation collate "C"`)
}

/** All grants of these users. @param userIds UUIDs */
export function grantsOfUsers(db: Handle, userIds: readonly string[]): Promise<ListedGrant[]> {
  return allGrants(db)
    .where(sql<boolean>`user_id = any(${userIds}::uuid[])`)
    .execute()
}

/** Today in UTC by the database's clock, in the format of `until`. */
export async function today(db: Handle): Promise<string> {
  const { rows } = await sql<{
    today: string
  }>`select to_char(now() at time zone 'UTC', 'YYYY-MM-DD') as today`.execute(db)
  return rows[0]?.today ?? ''
}

/** Blocks other writers of grants until the transaction ends; reads continue. */
export async function lockGrants(db: Handle): Promise<void> {
  await sql`lock table grants in share row exclusive mode`.execute(db)
}

const rowsAtOnce = 1000

/** Inserts these grants, or overwrites existing ones with exactly these terms. */
export async function writeGrants(db: Handle, grants: readonly (GrantKey & GrantTerms)[]): Promise<void> {
  for (let start = 0; start < grants.length; start += rowsAtOnce) {
    const rows = grants.slice(start, start + rowsAtOnce).map(({ userId, organisation, role, until, by, reason }) => ({
      user_id: userId,
      organisation,
      role,
      ends_at: until === null ? null : sql<Date>`(${until}::date + 1)::timestamp at time zone 'UTC'`,
      granted_by: by,
      reason,
      granted_at: sql<Date>`now()`,
    }))
    await db
      .insertInto('grants')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['user_id', 'organisation']).doUpdateSet((row) => ({
          role: row.ref('excluded.role'),
          ends_at: row.ref('excluded.ends_at'),
          granted_by: row.ref('excluded.granted_by'),
          reason: row.ref('excluded.reason'),
          granted_at: row.ref('excluded.granted_at'),
        })),
      )
      .execute()
  }
}

/** Inserts or overwrites one grant; by default a viewer's without end. */
export function addGrant(
  db: Handle,
  organisation: OrganisationReference,
  userId: string,
  terms: Partial<GrantTerms> = {},
): Promise<void> {
  return writeGrants(db, [
    {
      role: 'viewer',
      until: null,
      by: null,
      reason: null,
      ...terms,
      userId,
      organisation: organisationKey(organisation),
    },
  ])
}

/** A user ID whose grants become those of another one. */
export type GrantMove = { readonly from: string; readonly to: string }

/**
 * Gives the grants of users to others, as they are, with the visits and the choice of notices of these organisations.
 * The new users must not have grants for the same organisations. A user who has never signed in gets no notices.
 */
export async function moveGrants(db: Handle, moves: readonly GrantMove[]): Promise<void> {
  const [from, to] = [moves.map((move) => move.from), moves.map((move) => move.to)]
  const given = sql`unnest(${from}::uuid[], ${to}::uuid[]) as moves (old_id, new_id)`
  for (const table of ['visits', 'notice_settings'] as const)
    await sql`
      update ${sql.table(table)} moved set user_id = moves.new_id from ${given}
      where moved.user_id = moves.old_id
        and exists (select from grants where user_id = moves.old_id and organisation = moved.organisation)
        and exists (select from users where id = moves.new_id)
        and not exists (
          select from ${sql.table(table)} other
          where other.user_id = moves.new_id and other.organisation = moved.organisation)`.execute(db)
  await sql`
    update grants set user_id = moves.new_id from ${given} where grants.user_id = moves.old_id`.execute(db)
}

/** Access that a user has no longer: until its last day, or until the operator removed it. */
export type EndedGrant = { readonly organisation: string } & (
  { readonly until: string; readonly removedAt: null } | { readonly until: null; readonly removedAt: Date }
)

/** The access that the user had, as far as grants and audit log still know, the last one first. */
export async function endedGrants(db: Handle, userId: string): Promise<EndedGrant[]> {
  const { rows } = await sql<EndedGrant>`
    select organisation, ${lastDay} as until, null::timestamptz as "removedAt", ends_at as at
    from grants where user_id = ${userId}::uuid and not ${isInForce}
    union all
    select organisation, null, max(at), max(at) from audit
    where user_id = ${userId}::uuid and event = 'revoke' and organisation is not null
      and not exists (select from grants where user_id = ${userId}::uuid and organisation = audit.organisation)
    group by organisation
    order by at desc, organisation`.execute(db)
  return rows.map(({ organisation, until, removedAt }) => ({ organisation, until, removedAt }) as EndedGrant)
}

/** Deletes a grant. @returns whether it existed */
export async function removeGrant(db: Handle, organisation: OrganisationReference, userId: string): Promise<boolean> {
  const remove = db.deleteFrom('grants').where('user_id', '=', userId)
  const removed = await remove.where('organisation', '=', organisationKey(organisation)).executeTakeFirst()
  return removed.numDeletedRows === 1n
}
