import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createAccounts } from './0001-accounts.ts'
import { createRecords } from './0001-records.ts'
import { createSync } from './0001-sync.ts'

/** The initial schema; nothing was released before it. */
export const schema: Migration = {
  up: async (db: Kysely<unknown>) => {
    await createAccounts(db)
    await createRecords(db)
    await createSync(db)
    // Facts about the whole installation, such as how it derives user IDs.
    await sql`create table installation (name text primary key, value text not null)`.execute(db)
  },
}
