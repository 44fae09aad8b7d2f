import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Finds the few removed orders and merchants, as those of sales units and webhooks are found. */
export const removedRecords: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const table of ['product_orders', 'merchants'])
      await sql`
        create index ${sql.ref(`${table}_removed`)} on ${sql.table(table)} (organisation, removed_at)
        where removed_at is not null`.execute(db)
  },
}
