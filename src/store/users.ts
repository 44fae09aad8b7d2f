import { type RawBuilder, sql } from 'kysely'
import type { UserGrant } from '../domain/role.ts'
import type { Handle } from './database.ts'
import { isInForce, lastDay } from './grants.ts'

/** A user as the eID's claims describe them at sign-in; `id` is the UUID that the operator is sent. */
export type SignedInUser = {
  readonly id: string
  readonly issuer: string
  readonly subject: string
  readonly name: string | null
  readonly email: string | null
}

/** A user as stored; `email` is the verified address, null before there is one. */
export type StoredUser = SignedInUser & { readonly firstSignedInAt: Date; readonly lastSignedInAt: Date }

/** What every signed-in request needs; `grants` are those in force at this moment, by organisationKey(). */
export type UserWithGrants = {
  readonly id: string
  readonly name: string | null
  /** The verified address, which is the one that the portal uses; null before there is one. */
  readonly email: string | null
  /** What the eID says, verified or not. */
  readonly eidEmail: string | null
  readonly grants: ReadonlyMap<string, UserGrant>
}

/** Stores a sign-in: a new user, or the name and e-mail that the eID gives now and the time. */
export async function saveUser(db: Handle, user: SignedInUser): Promise<void> {
  const { id, issuer, subject, name, email } = user
  await db
    .insertInto('users')
    .values({ id, issuer, subject, name, email })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ name, email, last_signed_in_at: sql`now()` }))
    .execute()
}

/** Makes this the address that the portal uses. @param email as emailAddress() gives it */
export async function saveVerifiedEmail(db: Handle, id: string, email: string): Promise<void> {
  await db
    .updateTable('users')
    .set({ verified_email: email, verified_email_at: sql`now()` })
    .where('id', '=', id)
    .execute()
}

/**
 * The same for an address that the eID provider vouches for, unless the user has a verified one already: that stays.
 * @returns whether it was the first
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

/** @param id a UUID; PostgreSQL refuses anything else */
export function findUser(db: Handle, id: string): Promise<StoredUser | undefined> {
  return allUsers(db).where('id', '=', id).executeTakeFirst()
}

function allUsers(db: Handle) {
  return db
    .selectFrom('users')
    .select(['id', 'issuer', 'subject', 'name', 'verified_email as email'])
    .select(['first_signed_in_at as firstSignedInAt', 'last_signed_in_at as lastSignedInAt'])
}

/** Everybody who has signed in, the latest first. */
export function listUsers(db: Handle): Promise<StoredUser[]> {
  return allUsers(db).orderBy('last_signed_in_at', 'desc').orderBy('id').execute()
}

type UserRow = Omit<UserWithGrants, 'grants'> & { readonly grants: Readonly<Record<string, UserGrant>> }

/** The user with this id, as JSON; null when there is none. For the statement that reads a session. @param id text that is a UUID */
export function userWithGrants(id: RawBuilder<string | null>): RawBuilder<UserRow | null> {
  return sql`(
  select json_build_object('id', id, 'name', name, 'email', verified_email, 'eidEmail', email, 'grants', (
    select coalesce(json_object_agg(organisation, json_build_object('role', role, 'until', ${lastDay})), '{}')
    from grants where user_id = users.id and ${isInForce}
  )) from users where id = ${id}::uuid)`
}

/** What `userWithGrants` found. */
export function readUserWithGrants({ grants, ...user }: UserRow): UserWithGrants {
  return {
    ...user,
    grants: new Map(Object.entries(grants)),
  }
}

/** @param id a UUID; PostgreSQL refuses anything else */
export async function findUserWithGrants(db: Handle, id: string): Promise<UserWithGrants | undefined> {
  const { rows } = await sql<{ user: UserRow | null }>`select ${userWithGrants(sql`${id}`)} as user`.execute(db)
  return rows[0]?.user ? readUserWithGrants(rows[0].user) : undefined
}
