import type { ColumnType, Generated } from 'kysely'

/** Written once, by the database's clock. */
type WrittenOnce = ColumnType<Date, never, never>

/** Somebody who has signed in: the id is the portal's own (UUIDv5 of issuer and subject). */
export type UsersTable = {
  id: string
  issuer: string
  subject: string
  name: string | null
  email: string | null
  first_signed_in_at: WrittenOnce
  last_signed_in_at: Generated<Date>
}

/** The operator's record that a user may act as an organisation; `organisation` is its organisationKey(). */
export type GrantsTable = {
  user_id: string
  organisation: string
  granted_at: WrittenOnce
}

/** connect-pg-simple's table; only that library writes it. */
export type SessionsTable = {
  sid: string
  sess: unknown
  expire: Date
}

/** Every table as the newest migration leaves it. */
export type Schema = {
  users: UsersTable
  grants: GrantsTable
  sessions: SessionsTable
}
