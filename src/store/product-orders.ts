import { type RawBuilder, sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Page, PageAsked, Sorting } from '../domain/paging.ts'
import type { Handle } from './database.ts'
import type { Json } from './records.ts'
import { findAllKeys, findPage, type Found, inThisOrder, isValue, matches, sortedBy } from './searching.ts'
import type { Facet } from './summaries.ts'

/** A product order as stored: the list's item, and the details once a user has opened it. */
export type StoredProductOrder = {
  readonly listed: Json | null
  readonly details: Json | null
  readonly merchantName: string | null
  /** When the sync first saw it, and when it last saw a change. */
  readonly firstSeenAt: Date
  readonly changedAt: Date
  readonly removedAt: Date | null
}

/** The filter of the list; an empty string matches all. */
export type ProductOrderFilter = {
  /** Search text for order id, business identifier, merchant name, MSN and sales unit. */
  readonly q: string
  readonly status: string
  readonly type: string
  readonly product: string
  /** A country, such as NO. */
  readonly market: string
  /** Includes expired orders; without it they only appear with their status. */
  readonly expired: boolean
}

/** `urgency`: actionable orders first, and the most recently changed first among them. */
export type ProductOrderColumn = 'urgency' | 'merchant' | 'status' | 'product' | 'type' | 'salesUnit' | 'seen'

const columns: Readonly<Record<Exclude<ProductOrderColumn, 'urgency'>, readonly string[]>> = {
  merchant: ['merchant_sort_key', 'scheme', 'business_id'],
  status: ['rank', 'status'],
  product: ['product_type'],
  type: ['product_order_type'],
  salesUnit: ['sales_unit_sort_key'],
  seen: ['first_seen_at'],
}

const row = sql`o.listed, o.details, o.merchant_name as "merchantName",
  o.first_seen_at as "firstSeenAt", o.changed_at as "changedAt", o.removed_at as "removedAt"`

/** The organisation's product orders with these keys, in their order. */
export async function productOrdersOf(
  db: Handle,
  organisation: Organisation,
  keys: readonly string[],
): Promise<StoredProductOrder[]> {
  return rowsOf(db, organisation)(inThisOrder(keys))
}

function rowsOf(db: Handle, organisation: Organisation) {
  return async (found: Found): Promise<StoredProductOrder[]> => {
    const { rows } = await sql<StoredProductOrder>`
      select ${row} from product_orders o join ${found} found on found.key = o.key
      where o.organisation = ${organisationKey(organisation)} order by found.position`.execute(db)
    return rows
  }
}

/**
 * A page of product orders.
 * @param asked.total the number of matches, when known
 */
export async function findProductOrders(
  db: Handle,
  organisation: Organisation,
  filter: ProductOrderFilter,
  { sort, ...asked }: PageAsked<ProductOrderColumn> & { readonly total?: number | undefined },
): Promise<Page<StoredProductOrder>> {
  return findPage(db, { ...search(organisation, filter, sort), ...asked }, rowsOf(db, organisation))
}

function search(organisation: Organisation, filter: ProductOrderFilter, sort: Sorting<ProductOrderColumn>) {
  return { table: 'product_orders', where: matching(organisation, filter), q: filter.q, ...ordered(sort) }
}

function matching(
  organisation: Organisation,
  { status, type, product, market, expired }: ProductOrderFilter,
): RawBuilder<boolean> {
  return sql<boolean>`organisation = ${organisationKey(organisation)} and removed_at is null
  and ${isValue('status', status)} and ${isValue('product_order_type', type)}
  and ${isValue('product_type', product)} and ${isValue('market', market)}
  and ${expired || status === 'EXPIRED' ? sql`true` : sql`rank < 7`}`
}

function ordered({ column, ...direction }: Sorting<ProductOrderColumn>) {
  if (column !== 'urgency') return sortedBy(columns[column], direction)
  const order = direction.descending ? sql`rank desc, changed_at, key desc` : sql`rank, changed_at desc, key`
  return { order, columns: sql`rank, changed_at` }
}

/** The keys of all matches, in order. */
export async function allProductOrders(
  db: Handle,
  organisation: Organisation,
  filter: ProductOrderFilter,
  sort: Sorting<ProductOrderColumn>,
): Promise<string[]> {
  return findAllKeys(db, search(organisation, filter, sort))
}

/** The number of matches by status, ignoring the status filter; actionable ones first. */
export async function countByStatus(
  db: Handle,
  organisation: Organisation,
  filter: ProductOrderFilter,
): Promise<Facet> {
  const all = { ...filter, status: '', expired: true }
  const { rows } = await sql<{ value: string; count: number }>`
    select status as value, count(*)::int as count from product_orders
    where ${matching(organisation, all)} and ${matches(filter.q)}
    group by status order by min(rank), status`.execute(db)
  return rows
}

/** One product order, also a removed one; undefined when the organisation never had it. */
export async function findProductOrder(
  db: Handle,
  organisation: Organisation,
  productOrderId: string,
): Promise<StoredProductOrder | undefined> {
  const { rows } = await sql<StoredProductOrder>`
    select ${row} from product_orders o
    where o.organisation = ${organisationKey(organisation)} and o.key = ${productOrderId}`.execute(db)
  return rows[0]
}
