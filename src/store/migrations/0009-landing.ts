import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What the landing page asks for: orders by when they were first seen, and sales units that have gone. */
export const landing: Migration = {
  up: async (db: Kysely<unknown>) => {
    await sql`
      create index product_orders_seen on product_orders (organisation, first_seen_at, key)
      include (status, product_order_type) where gone_at is null`.execute(db)
    await sql`
      create index sales_units_gone on sales_units (organisation, gone_at)
      include (first_seen_at, market) where gone_at is not null`.execute(db)
  },
}
