import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * `users.email` stays what the eID says; `verified_email` is the address that the user has proved to read, or that the
 * eID provider vouches for. `email_codes` has at most one code a user, as a MAC: a new one takes the old one's place.
 * `code_mails` counts the mails of the last hour, and knows an address by a MAC only.
 */
export const emailVerification: Migration = {
  up: async (db: Kysely<unknown>) => {
    await sql`alter table users add column verified_email text, add column verified_email_at timestamptz`.execute(
      db,
    )
    await sql`
      create table email_codes (
        user_id uuid primary key references users on delete cascade,
        email text not null,
        code_mac text not null,
        tries int not null default 0,
        sent_at timestamptz not null default now()
      )`.execute(db)
    await sql`
      create table code_mails (
        id bigint generated always as identity primary key,
        user_id uuid not null references users on delete cascade,
        address_mac text not null,
        at timestamptz not null default now()
      )`.execute(db)
    await sql`create index code_mails_user on code_mails (user_id, at)`.execute(db)
    await sql`create index code_mails_address on code_mails (address_mac, at)`.execute(db)
    await sql`create index code_mails_at on code_mails (at)`.execute(db)
  },
}
