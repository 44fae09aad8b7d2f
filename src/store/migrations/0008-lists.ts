import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { sortKey } from '../sort-key.ts'

/** What lists are filtered by, derived from what the API said. */
const filters = async (db: Kysely<unknown>): Promise<void> => {
  const switches = [
    'paymentAllowed',
    'skipLandingPageAllowed',
    'recurringAllowed',
    'partialCaptureAllowed',
    'lateCaptureAllowed',
    'landingPagePhoneNumberLocked',
    'longLivingPaymentAllowed',
    'creditCardPaymentAllowed',
  ]
  const named = switches.map(
    (name) =>
      sql`case when details #>> ${sql.lit(`{configuration,${name}}`)} = 'true' then ${sql.lit(name)}::text end`,
  )
  await sql`
    alter table sales_units
      add msn_number bigint generated always as (case when key ~ '^[0-9]{1,18}$' then key::bigint end) stored,
      add market text generated always as (nullif(split_part(scheme, ':', 2), '')) stored,
      add capture_type text generated always as (left(details #>> '{configuration,captureType}', 100)) stored,
      add capabilities text[] generated always as (array_remove(array[${sql.join(named)}], null)) stored`.execute(
    db,
  )
  await sql`
    alter table product_orders
      add market text generated always as (nullif(split_part(scheme, ':', 2), '')) stored`.execute(db)
}

/** Merchants in the order of their names, beside what is theirs. */
const merchantsInOrder = async (db: Kysely<unknown>): Promise<void> => {
  await sql`alter table merchants add sort_key text collate "C"`.execute(db)
  for (const table of ['sales_units', 'product_orders'])
    await sql`alter table ${sql.table(table)} add merchant_sort_key text collate "C"`.execute(db)
  const { rows } = await sql<{ name: string }>`select distinct name from merchants`.execute(db)
  const keys = JSON.stringify(rows.map(({ name }) => ({ name, key: sortKey(name) })))
  const known = sql`jsonb_to_recordset(${keys}::jsonb) as known(name text, key text)`
  await sql`update merchants m set sort_key = known.key from ${known} where m.name = known.name`.execute(db)
  for (const table of ['sales_units', 'product_orders'])
    await sql`
      update ${sql.table(table)} t set merchant_sort_key = known.key from ${known}
      where t.merchant_name = known.name`.execute(db)
}

/** The order of every column that sorts, with what lists are filtered by, so that a walk need not visit the table. */
const orders = async (db: Kysely<unknown>): Promise<void> => {
  const filtered = sql`market, capture_type, capabilities`
  await sql`drop index sales_units_order`.execute(db)
  await sql`
    create index sales_units_order on sales_units (organisation, sort_key, key)
    include (search_text, ${filtered}) where gone_at is null`.execute(db)
  for (const [name, column] of [
    ['msn', 'msn_number'],
    ['merchant_name', 'merchant_sort_key'],
    ['seen', 'first_seen_at'],
  ] as const)
    await sql`
      create index ${sql.ref(`sales_units_${name}`)} on sales_units (organisation, ${sql.ref(column)}, key)
      include (${filtered}) where gone_at is null`.execute(db)
  await sql`create index webhooks_url on webhooks (organisation, url, key) where gone_at is null`.execute(db)
}

/** Lists that are sorted by any of their columns and filtered by market, capture and what a sales unit may do. */
export const listsInOrder: Migration = {
  up: async (db: Kysely<unknown>) => {
    await filters(db)
    await merchantsInOrder(db)
    await orders(db)
  },
}
