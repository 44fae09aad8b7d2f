import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** `sessions` is connect-pg-simple's table.sql under another name. */
export const usersGrantsSessions: Migration = {
  up: async (db: Kysely<unknown>) => {
    await sql`
      create table users (
        id uuid primary key,
        issuer text not null,
        subject text not null,
        name text,
        email text,
        first_signed_in_at timestamptz not null default now(),
        last_signed_in_at timestamptz not null default now(),
        unique (issuer, subject)
      )`.execute(db)
    // No foreign key to users: the operator may give a grant before the first sign-in.
    await sql`
      create table grants (
        user_id uuid not null,
        organisation text not null,
        granted_at timestamptz not null default now(),
        primary key (user_id, organisation)
      )`.execute(db)
    await sql`
      create table sessions (
        sid varchar primary key,
        sess json not null,
        expire timestamp(6) not null
      )`.execute(db)
    await sql`create index sessions_expire on sessions (expire)`.execute(db)
  },
}
