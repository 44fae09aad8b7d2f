import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

type Db = Kysely<unknown>

/** Which price package a sales unit has: from the API, or from the operator's file, whose rows are the assignments. */
export const pricePackages: Migration = {
  up: async (db: Db) => {
    await sql`
      create table price_package_assignments (
        organisation text not null,
        msn text collate "C" not null,
        valid_from date not null,
        price_package_id text not null,
        is_pending boolean not null,
        primary key (organisation, msn, valid_from)
      )`.execute(db)
    await sql`
      create index price_package_assignments_pending on price_package_assignments (organisation, valid_from)
      where is_pending`.execute(db)
    await sql`alter table product_orders add column price_package_id text`.execute(db)
    await sql`
      alter table sales_units
        add column api_price_package_id text,
        add column price_package_id text,
        add column price_package_source text check (price_package_source in ('api', 'file')),
        add column price_package_since timestamptz`.execute(db)
    await sql`
      create index sales_units_price_package on sales_units (organisation, price_package_id, key)
      where removed_at is null and price_package_id is not null`.execute(db)
  },
}
