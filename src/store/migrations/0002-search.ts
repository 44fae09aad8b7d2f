import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createFolding, searchTextOf, sortKey, sortKeyNb } from '../folding.ts'
import { requireTrigrams } from '../requirements.ts'

type Db = Kysely<unknown>

/** The most characters in an index over sorted rows, which takes 2,700 bytes a row. */
const longest = 450

const name = sql.ref('name')
const merchantName = sql.ref('merchant_name')

/** Search text and sort keys of all tables, computed by the database. */
async function columns(db: Db): Promise<void> {
  const ofMerchant = keysOf('merchant_sort_key', merchantName)
  await replace(
    db,
    'sales_units',
    ['search_text', 'sort_key', 'merchant_sort_key'],
    [
      ...keysOf('sort_key', name),
      ...ofMerchant,
      searchColumn(sql`left(${searchTextOf([name, sql`key`, merchantName, sql`business_id`])}, ${sql.lit(longest)})`),
    ],
  )
  await replace(
    db,
    'merchants',
    ['search_text', 'sort_key'],
    [
      ...keysOf('sort_key', name),
      searchColumn(sql`left(${searchTextOf([name, sql`split_part(key, '/', 2)`])}, ${sql.lit(longest)})`),
    ],
  )
  await replace(
    db,
    'product_orders',
    ['search_text', 'merchant_sort_key'],
    [
      ...ofMerchant,
      ...keysOf('sales_unit_sort_key', sql.ref('sales_unit_name')),
      searchColumn(searchTextOf([sql`key`, sql`business_id`, merchantName, sql`msn`, sql`sales_unit_name`])),
    ],
  )
  await replace(db, 'webhooks', ['search_text'], [searchColumn(searchTextOf([sql`url`, sql`id`]))])
  // Pages sort these in memory.
  await replace(db, 'price_packages', ['sort_key'], [])
  await replace(db, 'templates', ['sort_key'], [])
  await sql`drop function fold_case(text)`.execute(db)
}

/** In one statement, which writes the table once; indexes of the columns go with them. */
async function replace(
  db: Db,
  table: string,
  dropped: readonly string[],
  added: readonly RawBuilder<unknown>[],
): Promise<void> {
  const parts = [
    ...dropped.map((column) => sql`drop column ${sql.ref(column)}`),
    ...added.map((column) => sql`add column ${column}`),
  ]
  await sql`alter table ${sql.table(table)} ${sql.join(parts)}`.execute(db)
}

/** A generated column with the search text. */
export function searchColumn(text: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`search_text text generated always as (${text}) stored`
}

/** Generated columns with the sort keys of a text, in both orders of letters. */
export function keysOf(column: string, text: RawBuilder<unknown>): RawBuilder<unknown>[] {
  return [
    sql`${sql.ref(column)} text collate "C" generated always as (${sortKey(text)}) stored`,
    sql`${sql.ref(`${column}_nb`)} text collate "C" generated always as (${sortKeyNb(text)}) stored`,
  ]
}

/** As in the first schema, and each order of names in both orders of letters. */
async function indexes(db: Db): Promise<void> {
  const trigrams = sql`${sql.ref(await requireTrigrams(db))}.gin_trgm_ops`
  for (const table of ['sales_units', 'merchants', 'product_orders', 'webhooks'])
    await sql`
      create index ${sql.ref(`${table}_search`)} on ${sql.table(table)} using gin (search_text ${trigrams})
      where removed_at is null`.execute(db)
  const filters = sql`market, capture_type, capabilities`
  for (const suffix of ['', '_nb']) {
    const [key, merchantKey] = [sql.ref(`sort_key${suffix}`), sql.ref(`merchant_sort_key${suffix}`)]
    const named = (index: string) => sql.ref(index + suffix)
    for (const statement of [
      sql`${named('sales_units_order')} on sales_units (organisation, ${key}, key)
        include (search_text, ${filters}) where removed_at is null`,
      sql`${named('sales_units_merchant_name')} on sales_units (organisation, ${merchantKey}, key)
        include (${filters}) where removed_at is null`,
      sql`${named('sales_units_merchant_name_backwards')}
        on sales_units (organisation, ${merchantKey} desc nulls last, key desc)
        include (${filters}) where removed_at is null`,
      sql`${named('merchants_order')} on merchants (organisation, ${key}, key)
        include (search_text) where removed_at is null`,
    ])
      await sql`create index ${statement}`.execute(db)
  }
}

/** Search that finds other spellings of letters, and the orders of names in the languages of the pages. */
export const search: Migration = {
  up: async (db: Db) => {
    await createFolding(db)
    await columns(db)
    await indexes(db)
  },
}
