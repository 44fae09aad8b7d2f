import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * When a merchant was first seen, its last change without the first read of its details, and the indexes for the tabs of
 * the list of merchants and for the last change of each.
 */
export const merchantsFirstSeen: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await sql`alter table merchant_summaries add first_seen_at timestamptz`.execute(db)
    await sql`
      with part as (
        select organisation, scheme || '/' || business_id as key, first_seen_at, changed_at from sales_units
        union all
        select organisation, scheme || '/' || business_id, first_seen_at, changed_at from product_orders
        union all
        select organisation, key, first_seen_at, nullif(changed_at, first_seen_at) from merchants
      ), merchant as (
        select organisation, key, min(first_seen_at) as first_seen_at, max(changed_at) as changed_at
        from part where key is not null group by organisation, key
      )
      update merchant_summaries s
      set first_seen_at = merchant.first_seen_at, changed_at = coalesce(merchant.changed_at, s.changed_at)
      from merchant where merchant.organisation = s.organisation and merchant.key = s.key`.execute(db)
    await sql`update merchant_summaries set first_seen_at = changed_at where first_seen_at is null`.execute(db)
    await sql`alter table merchant_summaries alter first_seen_at set not null`.execute(db)
    await sql`
      create index merchant_summaries_first_seen_at on merchant_summaries (organisation, first_seen_at, key)
      include (market, sales_units, open_orders) where sales_units + orders > 0`.execute(db)
    await sql`
      create index merchant_summaries_removed on merchant_summaries (organisation)
      where sales_units + orders = 0`.execute(db)
    for (const table of ['sales_units', 'product_orders']) {
      const index = sql.ref(`${table}_merchant`)
      await sql`drop index ${index}`.execute(db)
      await sql`create index ${index} on ${sql.table(table)} (organisation, scheme, business_id, changed_at)`.execute(
        db,
      )
    }
  },
}
