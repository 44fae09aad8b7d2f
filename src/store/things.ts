import { type RawBuilder, sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'
import { searchTextOf } from './folding.ts'
import { matches } from './searching.ts'

/** A record that a change is about: its resource in the history, and its key. */
export type Thing = { readonly resource: string; readonly key: string }

/** What names a record now, or when it was last seen. */
export type ThingName = Thing & {
  readonly name: string | null
  readonly productType: string | null
  readonly productOrderType: string | null
  readonly merchantName: string | null
  readonly scheme: string | null
  readonly businessId: string | null
  readonly isRemoved: boolean
}

/** Records that match a text. */
export type FoundThings = {
  readonly things: readonly Thing[]
  /** The resources of which there may be more. */
  readonly cut: ReadonlySet<string>
}

/** The records with `q` in name or id, removed ones included; of each resource all, or `most` of more. */
export async function findThings(
  db: Handle,
  organisation: Organisation,
  { resources, q }: Sought,
  most: number,
): Promise<FoundThings> {
  const queries = resources.flatMap((resource) =>
    // The indexes for searching are of records that are there, so that removed ones are looked for by themselves.
    [sql`is null`, sql`is not null`].map(
      (removed) => sql`
        (select ${sql.lit(resource)}::text as resource, key from ${searched(resource)}
        where ${isMatching(organisation, q)} and removed_at ${removed} limit ${Number.isFinite(most) ? most : null}::int)`,
    ),
  )
  const { rows: things } = await sql<Thing>`${sql.join(queries, sql` union all `)}`.execute(db)
  return firstThings(things, most)
}

/** Up to `most` records of each resource. */
export function firstThings(things: readonly Thing[], most: number): FoundThings {
  const ofResource = [...Map.groupBy(things, ({ resource }) => resource)]
  return {
    things: ofResource.flatMap(([, some]) => some.slice(0, most)),
    cut: new Set(ofResource.flatMap(([resource, some]) => (some.length >= most ? [resource] : []))),
  }
}

type Sought = { readonly resources: readonly string[]; readonly q: string }

/** SQL: the record of the change `c` is one of these. By its key: as `exists`, the planner would read all records. */
export function isOfThing(organisation: Organisation, { resources, q }: Sought): RawBuilder<boolean> {
  const cases = resources.map(
    (resource) => sql`
      when ${sql.lit(resource)} then (
        select ${matches(q)} from ${searched(resource)}
        where organisation = ${organisationKey(organisation)} and key = c.key)`,
  )
  return sql<boolean>`case c.resource ${sql.join(cases, sql` `)} else false end`
}

function isMatching(organisation: Organisation, q: string): RawBuilder<boolean> {
  return sql<boolean>`organisation = ${organisationKey(organisation)} and ${matches(q)}`
}

/** Price packages and templates are few, and have no text for searching. */
function searched(resource: string): RawBuilder<unknown> {
  const { table, isSearchable = true } = named[resource] ?? {}
  if (table === undefined) throw new Error(`no table of ${resource}`)
  if (isSearchable) return sql.table(table)
  return sql`(
    select organisation, key, removed_at, ${searchTextOf([sql`listed ->> 'name'`, sql`key`])} as search_text
    from ${sql.table(table)}) named`
}

/** What names these records, by `resource key`. */
export async function namesOf(
  db: Handle,
  organisation: Organisation,
  things: readonly Thing[],
): Promise<Map<string, ThingName>> {
  const keys = Map.groupBy(things, ({ resource }) => resource)
  const queries = [...keys].flatMap(([resource, some]) => {
    const { table, columns } = named[resource] ?? {}
    if (table === undefined || columns === undefined) return []
    return sql`
      select ${sql.lit(resource)}::text as resource, key, ${columns}, removed_at is not null as "isRemoved"
      from ${sql.table(table)}
      where organisation = ${organisationKey(organisation)} and key = any(${some.map(({ key }) => key)})`
  })
  if (queries.length === 0) return new Map()
  const { rows } = await sql<ThingName>`${sql.join(queries, sql` union all `)}`.execute(db)
  return new Map(rows.map((row) => [`${row.resource} ${row.key}`, row]))
}

const noProduct = sql`null::text as "productType", null::text as "productOrderType"`
const ofMerchant = sql`merchant_name as "merchantName", scheme, business_id as "businessId"`
const ofNone = sql`null::text as "merchantName", null::text as scheme, null::text as "businessId"`
type Named = { readonly table: string; readonly columns: RawBuilder<unknown>; readonly isSearchable?: false }
const named: Readonly<Record<string, Named>> = {
  salesUnit: { table: 'sales_units', columns: sql`name, ${noProduct}, ${ofMerchant}` },
  productOrder: {
    table: 'product_orders',
    columns: sql`null::text as name, product_type as "productType", product_order_type as "productOrderType", ${ofMerchant}`,
  },
  merchant: { table: 'merchants', columns: sql`name, ${noProduct}, ${ofNone}` },
  pricePackage: {
    table: 'price_packages',
    isSearchable: false,
    columns: sql`listed ->> 'name' as name, ${noProduct}, ${ofNone}`,
  },
  template: {
    table: 'templates',
    isSearchable: false,
    columns: sql`listed ->> 'name' as name, ${noProduct}, ${ofNone}`,
  },
  webhook: { table: 'webhooks', columns: sql`url as name, ${noProduct}, ${ofNone}` },
}
