import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** `sync_state.answer_digest` tells an unchanged list, unless one of its records is not as the list has it. */
export const answerDigest: Migration = {
  up: async (db: Kysely<unknown>) => {
    await sql`alter table sync_state add column answer_digest text`.execute(db)
    for (const table of ['sales_units', 'product_orders'])
      await sql`
        create index ${sql.ref(`${table}_unlisted`)} on ${sql.table(table)} (organisation)
        where removed_by = 'details' or (listed is null and removed_at is null)`.execute(db)
  },
}
