import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * What ends sessions by user or by the eID's own session is generated from the session, so that it cannot say anything
 * else. `brakes` is rate-limiter-flexible's table, which writes its columns in this order.
 */
export const sessionsAndBrakes: Migration = {
  up: async (db: Kysely<unknown>) => {
    // Those of before hold ID tokens in the clear; their owners sign out without a hint.
    await sql`update sessions set sess = (sess::jsonb - 'idToken')::json`.execute(db)
    await sql`
      alter table sessions
        add column used_at timestamptz not null default now(),
        add column renewed_as varchar,
        add column renewed_from varchar,
        add column user_id text generated always as (sess -> 'passport' ->> 'user') stored,
        add column eid_sid text generated always as (sess ->> 'eidSid') stored,
        add column signed_in_at bigint generated always as ((sess ->> 'signedInAt')::bigint) stored
      `.execute(db)
    await sql`create index sessions_user on sessions (user_id)`.execute(db)
    await sql`create index sessions_eid_sid on sessions (eid_sid)`.execute(db)
    await sql`create table logout_tokens (id text primary key, forget_at timestamptz not null)`.execute(db)
    // Lost in a crash of the server, which only counts from the start again.
    await sql`
      create unlogged table brakes (
        key varchar(255) primary key,
        points integer not null default 0,
        expire bigint
      )`.execute(db)
    await sql`create index brakes_expire on brakes (expire)`.execute(db)
  },
}
