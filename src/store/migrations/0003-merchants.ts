import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { searchTextOf } from '../folding.ts'
import { requireTrigrams } from '../requirements.ts'

import { keysOf, searchColumn } from './0002-search.ts'

type Db = Kysely<unknown>

const merchantName = sql.ref('merchant_name')

/** A row for every merchant that ever had a sales unit or an order; the sync writes it with the records it counts. */
async function summaries(db: Db): Promise<void> {
  const trigrams = sql`${sql.ref(await requireTrigrams(db))}.gin_trgm_ops`
  await sql`
    create table merchant_summaries (
      organisation text not null,
      key text collate "C" not null,
      scheme text not null,
      business_id text not null,
      merchant_name text,
      market text generated always as (nullif(split_part(scheme, ':', 2), '')) stored,
      ${searchColumn(searchTextOf([merchantName, sql`business_id`]))},
      ${sql.join(keysOf('merchant_sort_key', merchantName))},
      sales_units int not null,
      orders int not null,
      open_orders int not null,
      changed_at timestamptz not null,
      primary key (organisation, key)
    )`.execute(db)
  for (const statement of [
    sql`merchant_summaries_search on merchant_summaries using gin (search_text ${trigrams})
      where sales_units + orders > 0`,
    ...['', '_nb'].map(
      (suffix) => sql`${sql.ref(`merchant_summaries_name${suffix}`)}
        on merchant_summaries (organisation, ${sql.ref(`merchant_sort_key${suffix}`)}, key)
        include (search_text, market, sales_units, open_orders) where sales_units + orders > 0`,
    ),
    ...['sales_units', 'open_orders', 'changed_at'].map(
      (column) => sql`${sql.ref(`merchant_summaries_${column}`)} on merchant_summaries
        (organisation, ${sql.ref(column)}, key) where sales_units + orders > 0`,
    ),
    sql`merchant_summaries_id on merchant_summaries (organisation, business_id)`,
    sql`product_orders_msn on product_orders (organisation, msn) where msn is not null`,
  ])
    await sql`create index ${statement}`.execute(db)
}

/** An order is open until it has one of the `finalStatuses`. */
async function fill(db: Db): Promise<void> {
  await sql`
    insert into merchant_summaries (organisation, key, scheme, business_id, merchant_name,
      sales_units, orders, open_orders, changed_at)
    select r.organisation, r.scheme || '/' || r.business_id, r.scheme, r.business_id, min(m.name),
      sum(is_unit)::int, sum(is_order)::int, sum(is_open)::int, greatest(max(r.changed_at), max(m.changed_at))
    from (
      select organisation, scheme, business_id, changed_at,
        (removed_at is null)::int as is_unit, 0 as is_order, 0 as is_open
      from sales_units where scheme is not null and business_id is not null
      union all
      select organisation, scheme, business_id, changed_at,
        0, (removed_at is null)::int, (removed_at is null and status not in ('COMPLETED', 'REJECTED', 'EXPIRED'))::int
      from product_orders where scheme is not null and business_id is not null
    ) r
    left join merchants m on m.organisation = r.organisation and m.key = r.scheme || '/' || r.business_id
    group by r.organisation, r.scheme, r.business_id`.execute(db)
}

/** The list of merchants. */
export const merchants: Migration = {
  up: async (db: Db) => {
    await summaries(db)
    await fill(db)
  },
}
