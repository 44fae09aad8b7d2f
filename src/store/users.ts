import { type RawBuilder, sql } from 'kysely'
import type { UserGrant } from '../domain/role.ts'
import type { Handle } from './database.ts'
import { isInForce, lastDay } from './grants.ts'

/** A user as the eID's claims describe them at sign-in; `id` is the UUID that the user sends to the operator. */
export type SignedInUser = {
  readonly id: string
  readonly issuer: string
  readonly subject: string
  readonly name: string | null
  readonly email: string | null
}

/** A user as stored; `email` is the verified address, null before there is one. */
export type StoredUser = SignedInUser & { readonly firstSignedInAt: Date; readonly lastSignedInAt: Date }

/** The user of a request; `grants` are those in force now, by organisationKey(). */
export type UserWithGrants = {
  readonly id: string
  readonly name: string | null
  /** The verified address, which the portal uses; null before there is one. */
  readonly email: string | null
  /** The address that the eID sends, verified or not. */
  readonly eidEmail: string | null
  readonly grants: ReadonlyMap<string, UserGrant>
}

/** Stores a sign-in: inserts the user, or updates name, e-mail and time. */
export async function saveUser(db: Handle, user: SignedInUser): Promise<void> {
  const { id, issuer, subject, name, email } = user
  await db
    .insertInto('users')
    .values({ id, issuer, subject, name, email })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ name, email, last_signed_in_at: sql`now()` }))
    .execute()
}

/** Sets the verified address. @param email as emailAddress() gives it */
export async function saveVerifiedEmail(db: Handle, id: string, email: string): Promise<void> {
  await db
    .updateTable('users')
    .set({ verified_email: email, verified_email_at: sql`now()` })
    .where('id', '=', id)
    .execute()
}

/**
 * Sets the address that the eID provider vouches for as verified, unless the user already has a verified one.
 * @returns whether it was set
 */
export async function saveVouchedEmail(db: Handle, id: string, email: string): Promise<boolean> {
  const first = await db
    .updateTable('users')
    .set({ verified_email: email, verified_email_at: sql`now()` })
    .where('id', '=', id)
    .where('verified_email', 'is', null)
    .executeTakeFirst()
  return first.numUpdatedRows === 1n
}

/** A user by id. @param id a UUID; PostgreSQL refuses anything else */
export function findUser(db: Handle, id: string): Promise<StoredUser | undefined> {
  return allUsers(db).where('id', '=', id).executeTakeFirst()
}

function allUsers(db: Handle) {
  return db
    .selectFrom('users')
    .select(['id', 'issuer', 'subject', 'name', 'verified_email as email'])
    .select(['first_signed_in_at as firstSignedInAt', 'last_signed_in_at as lastSignedInAt'])
}

/** All users who have signed in, latest sign-in first. */
export function listUsers(db: Handle): Promise<StoredUser[]> {
  return allUsers(db).orderBy('last_signed_in_at', 'desc').orderBy('id').execute()
}

type UserRow = Omit<UserWithGrants, 'grants'> & { readonly grants: Readonly<Record<string, UserGrant>> }

/** SQL: the user with this id and their grants, as JSON; null when there is none. @param id text that is a UUID */
export function userWithGrants(id: RawBuilder<string | null>): RawBuilder<UserRow | null> {
  return sql`(
  select json_build_object('id', id, 'name', name, 'email', verified_email, 'eidEmail', email, 'grants', (
    select coalesce(json_object_agg(organisation, json_build_object('role', role, 'until', ${lastDay})), '{}')
    from grants where user_id = users.id and ${isInForce}
  )) from users where id = ${id}::uuid)`
}

/** Parses the result of `userWithGrants`. */
export function readUserWithGrants({ grants, ...user }: UserRow): UserWithGrants {
  return {
    ...user,
    grants: new Map(Object.entries(grants)),
  }
}

/** A user with the grants in force. @param id a UUID; PostgreSQL refuses anything else */
export async function findUserWithGrants(db: Handle, id: string): Promise<UserWithGrants | undefined> {
  const { rows } = await sql<{ user: UserRow | null }>`select ${userWithGrants(sql`${id}`)} as user`.execute(db)
  return rows[0]?.user ? readUserWithGrants(rows[0].user) : undefined
}
