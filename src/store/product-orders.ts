import { type RawBuilder, sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Page, PageAsked, Sorting } from '../domain/paging.ts'
import { orderStatuses, type OrderStep, otherStatuses } from '../domain/product-order.ts'
import { portalTimeZone } from '../domain/time-zone.ts'
import type { Handle } from './database.ts'
import type { Json } from './records.ts'
import { isOpenOrder } from './merchant-summaries.ts'
import {
  countFound,
  findAllKeys,
  findPage,
  type Found,
  inThisOrder,
  isOfMerchant,
  isValue,
  matches,
  sortedBy,
} from './searching.ts'
import { endOfFirstSync, type Funnel, funnelOf, type StatusFacet, statusFacet } from './summaries.ts'
import { sinceDays, inMonth } from './time-filters.ts'

/** A product order as stored: the list's item, and the details once a user has opened it. */
export type StoredProductOrder = {
  readonly listed: Json | null
  readonly details: Json | null
  readonly merchantName: string | null
  /** When the sync first saw it, and when it last saw a change. */
  readonly firstSeenAt: Date
  readonly changedAt: Date
  readonly removedAt: Date | null
  /** When the sync first saw each status; null for one that it never saw. */
  readonly viewedAt: Date | null
  readonly submittedAt: Date | null
  readonly completedAt: Date | null
  readonly rejectedAt: Date | null
  readonly expiredAt: Date | null
  /** The latest end of the link of a prefilled order that waits for its merchant. */
  readonly expiresAt: Date | null
  /** The price package that the API says of the order. */
  readonly pricePackageId: string | null
}

/**
 * The sets of product orders that pages name and count; an empty string matches all. Filters by when an order was first
 * seen leave out the orders of the first sync, whose age is unknown.
 */
export type ProductOrderFilter = {
  /** Search text for order id, business identifier, merchant name, MSN and sales unit. */
  readonly q: string
  readonly status: string
  readonly type: string
  readonly product: string
  /** A country, such as NO. */
  readonly market: string
  /** '1': waits for its merchant to open or submit it; '0': does not. */
  readonly waiting: string
  /** Only orders without a final status. */
  readonly open: boolean
  /** Its link ends today or within so many days. */
  readonly expiring: string
  /** It changed in the last so many days. */
  readonly changed: string
  /** First seen in the last so many days. */
  readonly new: string
  /** First seen in this month, such as 2026-11. */
  readonly month: string
  /** It came as far as this step, and the sync has seen it from the beginning. */
  readonly reached: OrderStep | ''
  /** The merchantKey() of the merchant. */
  readonly merchant: string
  /** The sales unit that the order created. */
  readonly msn: string
}

/** The filter that matches every order. */
export const everyOrder: ProductOrderFilter = {
  q: '',
  status: '',
  type: '',
  product: '',
  market: '',
  waiting: '',
  open: false,
  expiring: '',
  changed: '',
  new: '',
  month: '',
  reached: '',
  merchant: '',
  msn: '',
}

/** `urgency`: those that wait for their merchant first, the next to expire on top; then the most recently changed. */
export type ProductOrderColumn = 'urgency' | 'merchant' | 'product' | 'status' | 'changed' | 'expires' | 'type'

const columns: Readonly<Record<Exclude<ProductOrderColumn, 'urgency'>, readonly string[]>> = {
  merchant: ['merchant_sort_key', 'scheme', 'business_id'],
  product: ['product_type'],
  status: ['rank', 'status'],
  changed: ['changed_at'],
  expires: ['expires_at'],
  type: ['product_order_type'],
}

const row = sql`o.listed, o.details, o.merchant_name as "merchantName",
  o.first_seen_at as "firstSeenAt", o.changed_at as "changedAt", o.removed_at as "removedAt",
  o.viewed_at as "viewedAt", o.submitted_at as "submittedAt", o.completed_at as "completedAt",
  o.rejected_at as "rejectedAt", o.expired_at as "expiredAt", o.expires_at as "expiresAt",
  o.price_package_id as "pricePackageId"`

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
  {
    sort,
    ...asked
  }: PageAsked<ProductOrderColumn> & {
    readonly total?: number | undefined
    readonly listTotal?: number | undefined
  },
): Promise<Page<StoredProductOrder>> {
  return findPage(db, { ...search(organisation, filter, sort), ...asked }, rowsOf(db, organisation))
}

/** The number of product orders of the filter, as its list says it. */
export async function countProductOrders(db: Handle, organisation: Organisation, filter: ProductOrderFilter) {
  return countFound(db, { table: 'product_orders', where: matching(organisation, filter), q: filter.q })
}

function search(organisation: Organisation, filter: ProductOrderFilter, sort: Sorting<ProductOrderColumn>) {
  return { table: 'product_orders', where: matching(organisation, filter), q: filter.q, ...ordered(sort) }
}

const stepNumbers: Readonly<Record<OrderStep, number>> = { received: 1, viewed: 2, submitted: 3, completed: 4 }

/** SQL: the organisation's orders of the filter, apart from its text. */
function matching(organisation: Organisation, filter: ProductOrderFilter): RawBuilder<boolean> {
  const own = sql`organisation = ${organisationKey(organisation)}`
  const { waiting, expiring, changed, month, reached } = filter
  const isNew = [filter.new, month, reached].some((value) => value !== '')
  const terms = [
    sql`${own} and removed_at is null`,
    filter.status === otherStatuses ? sql`status <> all (${orderStatuses})` : isValue('status', filter.status),
    isValue('product_order_type', filter.type),
    isValue('product_type', filter.product),
    isValue('market', filter.market),
    isOfMerchant(filter.merchant),
    isValue('msn', filter.msn),
    ...(filter.open ? [isOpenOrder] : []),
    ...(waiting === '' ? [] : [waiting === '1' ? sql`rank = 1` : sql`rank <> 1`]),
    ...(expiring === '' ? [] : [sql`expires_at > now() and expires_at < ${endOfDay(expiring)}`]),
    ...(changed === '' ? [] : [sinceDays('changed_at', changed)]),
    ...(filter.new === '' ? [] : [sinceDays('first_seen_at', filter.new)]),
    ...(month === '' ? [] : [inMonth('first_seen_at', month)]),
    ...(reached === '' ? [] : [sql`reached >= ${stepNumbers[reached]}::int`]),
    ...(isNew ? [sql`first_seen_at > ${endOfFirstSync('product_orders', own)}`] : []),
    ...(changed === '' ? [] : [sql`changed_at > ${endOfFirstSync('product_orders', own)}`]),
  ]
  return sql<boolean>`${sql.join(terms, sql` and `)}`
}

/** SQL: the end of the day in so many days. */
function endOfDay(days: string): RawBuilder<Date> {
  return sql<Date>`(date_trunc('day', now() at time zone ${portalTimeZone})
    + make_interval(days => ${days}::int + 1)) at time zone ${portalTimeZone}`
}

function ordered({ column, ...direction }: Sorting<ProductOrderColumn>) {
  if (column !== 'urgency') return sortedBy(columns[column], direction)
  const order = direction.descending
    ? sql`rank desc, expires_at desc, changed_at, key desc`
    : sql`rank, expires_at, changed_at desc, key`
  return { order, columns: sql`rank, expires_at, changed_at` }
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

/** The number of matches by status, ignoring the filters of the tabs; the most urgent first. */
export async function countByStatus(
  db: Handle,
  organisation: Organisation,
  filter: ProductOrderFilter,
): Promise<StatusFacet> {
  const all = { ...filter, status: '', waiting: '' }
  const { rows } = await statusFacet(sql`${matching(organisation, all)} and ${matches(filter.q)}`).execute(db)
  return rows
}

/** How far the orders of the filter have come, of those that the sync has seen from the beginning. */
export async function orderFunnel(db: Handle, organisation: Organisation, filter: ProductOrderFilter): Promise<Funnel> {
  const seen = { ...filter, reached: 'received' as const }
  const { rows } = await sql<{ funnel: Funnel }>`
    select ${funnelOf(matching(organisation, seen))} as funnel`.execute(db)
  return rows[0]?.funnel ?? { reached: [0, 0, 0, 0], medianDays: [null, null, null], others: [], since: null }
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
