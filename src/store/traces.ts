import { type RawBuilder, sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'
import { sortKey } from './folding.ts'
import type { RecordTable } from './records.ts'
import { matches } from './searching.ts'

/** What is stored of a record that one of several organisations has or had. */
export type Trace = {
  /** By organisationKey(). */
  readonly organisation: string
  readonly key: string
  /** Its name; that of the merchant for an order, the URL for a webhook. */
  readonly name: string | null
  readonly firstSeenAt: Date
  readonly removedAt: Date | null
  /** Whether a list without it or a 404 on its details removed it. */
  readonly removedBy: 'list' | 'details' | null
}

const names: Readonly<Record<RecordTable, RawBuilder<string>>> = {
  sales_units: sql`name`,
  merchants: sql`name`,
  product_orders: sql`merchant_name`,
  price_packages: sql`listed ->> 'name'`,
  templates: sql`listed ->> 'name'`,
  webhooks: sql`url`,
}

/** The most traces that a search returns. */
const most = 10

function traces(
  organisations: readonly Organisation[],
  table: RecordTable,
  where: RawBuilder<unknown>,
  order: RawBuilder<unknown> = sql`order by removed_at desc nulls first, key`,
): RawBuilder<Trace> {
  return sql<Trace>`
    select organisation, key, ${names[table]} as name, first_seen_at as "firstSeenAt", removed_at as "removedAt",
      removed_by as "removedBy"
    from ${sql.table(table)} where organisation = any(${organisations.map(organisationKey)}) and ${where}
    ${order} limit ${most}`
}

/** The records with one of these keys, removed ones as well: those that are there first. Webhooks are found by ID. */
export async function findTraces(
  db: Handle,
  organisations: readonly Organisation[],
  table: RecordTable,
  keys: readonly string[],
): Promise<Trace[]> {
  const column = sql.ref(table === 'webhooks' ? 'id' : 'key')
  return (await traces(organisations, table, sql`${column} = any(${keys})`).execute(db)).rows
}

const links = {
  product_orders: sql`(listed ->> 'productOrderUrl', details ->> 'productOrderUrl')`,
  templates: sql`(listed ->> 'url')`,
}

/** The orders or templates with this link for merchants, removed ones as well. */
export async function findByLink(
  db: Handle,
  organisations: readonly Organisation[],
  table: keyof typeof links,
  url: string,
): Promise<Trace[]> {
  return (await traces(organisations, table, sql`${url} in ${links[table]}`).execute(db)).rows
}

/** Active sales units of these organisations: those with the name `q`, then others that contain it, in any order. */
export async function salesUnitsNamed(db: Handle, organisations: readonly Organisation[], q: string): Promise<Trace[]> {
  const name = sortKey(sql`${q}::text`)
  const isNamed = sql`removed_at is null and sort_key = ${name}`
  const contains = sql`removed_at is null and sort_key <> ${name} and ${matches(q)}`
  const named = await traces(organisations, 'sales_units', isNamed).execute(db)
  const others = await traces(organisations, 'sales_units', contains, sql``).execute(db)
  return [...named.rows, ...others.rows]
}

/** The removed sales units of an organisation that contain `q`, the last removed first. */
export async function removedSalesUnits(db: Handle, organisation: Organisation, q: string): Promise<Trace[]> {
  const where = sql`removed_at is not null and ${matches(q)}`
  return (await traces([organisation], 'sales_units', where, sql`order by removed_at desc`).execute(db)).rows
}

/** The removed sales units of a merchant, the last removed first. */
export async function removedSalesUnitsOf(
  db: Handle,
  organisation: Organisation,
  { scheme, id }: { readonly scheme: string; readonly id: string },
): Promise<Trace[]> {
  const where = sql`removed_at is not null and scheme = ${scheme} and business_id = ${id}`
  return (await traces([organisation], 'sales_units', where).execute(db)).rows
}
