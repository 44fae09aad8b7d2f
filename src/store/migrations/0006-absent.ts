import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** `sync_state.absent`: the last read of a record was answered 404. */
export const absent: Migration = {
  up: async (db: Kysely<unknown>) => {
    await sql`alter table sync_state add column absent boolean not null default false`.execute(db)
  },
}
