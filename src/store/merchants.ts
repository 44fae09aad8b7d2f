import { sql } from 'kysely'
import { merchantKey } from '../domain/business-identifier.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Page, PageAsked, Sorting } from '../domain/paging.ts'
import type { Handle } from './database.ts'
import { isListedMerchant } from './merchant-summaries.ts'
import type { Json } from './records.ts'
import { findAllKeys, findPage, type Found, inThisOrder, isValue, sortedBy } from './searching.ts'

/** A merchant as stored. */
export type StoredMerchant = { readonly details: Json; readonly removedAt: Date | null }

/** A merchant by business identifier, also a removed one; undefined when it has not been read, or is not shared. */
export async function findMerchant(
  db: Handle,
  organisation: Organisation,
  identifier: { readonly scheme: string; readonly id: string },
): Promise<StoredMerchant | undefined> {
  const row = await db
    .selectFrom('merchants')
    .select(['details', 'removed_at as removedAt'])
    .where('organisation', '=', organisationKey(organisation))
    .where('key', '=', merchantKey(identifier))
    .executeTakeFirst()
  return row as StoredMerchant | undefined
}

/** A merchant with the number of its current sales units and orders; its name is null until it has been read. */
export type MerchantSummary = {
  readonly scheme: string
  readonly id: string
  readonly name: string | null
  readonly market: string | null
  readonly salesUnits: number
  readonly orders: number
  /** Orders without a final status. */
  readonly openOrders: number
  /** The newest change of the merchant, its sales units or its orders. */
  readonly changedAt: Date
}

const summary = sql`m.scheme, m.business_id as id, m.merchant_name as name, m.market, m.sales_units as "salesUnits",
  m.orders, m.open_orders as "openOrders", m.changed_at as "changedAt"`

/** The summary of a merchant, also of one without current sales units and orders; undefined if it never had any. */
export async function findMerchantSummary(
  db: Handle,
  organisation: Organisation,
  identifier: { readonly scheme: string; readonly id: string },
): Promise<MerchantSummary | undefined> {
  const [found] = await merchantsOf(db, organisation, [merchantKey(identifier)])
  return found
}

/** The merchants with these keys, in their order. */
export async function merchantsOf(
  db: Handle,
  organisation: Organisation,
  keys: readonly string[],
): Promise<MerchantSummary[]> {
  return rowsOf(db, organisation)(inThisOrder(keys))
}

function rowsOf(db: Handle, organisation: Organisation) {
  return async (found: Found): Promise<MerchantSummary[]> => {
    const { rows } = await sql<MerchantSummary>`
      select ${summary} from merchant_summaries m join ${found} found on found.key = m.key
      where m.organisation = ${organisationKey(organisation)} order by found.position`.execute(db)
    return rows
  }
}

/** The filter of the list; an empty string matches all. */
export type MerchantFilter = {
  /** Search text for name and business identifier. */
  readonly q: string
  /** A country, such as NO. */
  readonly market: string
  readonly units: '' | 'some' | 'none'
  /** Open orders. */
  readonly orders: '' | 'some' | 'none'
}

/** A column that merchants can be sorted by. */
export type MerchantColumn = 'name' | 'identifier' | 'country' | 'units' | 'orders' | 'changed'

const columns: Readonly<Record<MerchantColumn, readonly string[]>> = {
  name: ['merchant_sort_key'],
  identifier: ['scheme', 'business_id'],
  country: ['market', 'merchant_sort_key'],
  units: ['sales_units'],
  orders: ['open_orders'],
  changed: ['changed_at'],
}

/**
 * A page of the organisation's merchants: those with a current sales unit or order.
 * @param asked.total the number of merchants without any filter, when known
 */
export async function findMerchants(
  db: Handle,
  organisation: Organisation,
  filter: MerchantFilter,
  { sort, total, ...asked }: PageAsked<MerchantColumn> & { readonly total?: number | undefined },
): Promise<Page<MerchantSummary>> {
  const isFiltered = Object.values(filter).some((value) => value !== '')
  const search = { ...searchFor(organisation, filter, sort), ...asked, total: isFiltered ? undefined : total }
  return findPage(db, search, rowsOf(db, organisation))
}

function searchFor(
  organisation: Organisation,
  { q, market, units, orders }: MerchantFilter,
  sort: Sorting<MerchantColumn>,
) {
  const where = sql<boolean>`organisation = ${organisationKey(organisation)} and ${isListedMerchant}
    and ${isValue('market', market)} and ${hasSome('sales_units', units)} and ${hasSome('open_orders', orders)}`
  return { table: 'merchant_summaries', where, q, ...sortedBy(columns[sort.column], sort) }
}

function hasSome(column: string, wanted: '' | 'some' | 'none') {
  if (wanted === '') return sql`true`
  return wanted === 'some' ? sql`${sql.ref(column)} > 0` : sql`${sql.ref(column)} = 0`
}

/** The keys of all matches, in order. */
export async function allMerchants(
  db: Handle,
  organisation: Organisation,
  filter: MerchantFilter,
  sort: Sorting<MerchantColumn>,
): Promise<string[]> {
  return findAllKeys(db, searchFor(organisation, filter, sort))
}

/** Merchants with this business identifier in any scheme; two countries may use the same one. */
export async function merchantsWithId(
  db: Handle,
  organisation: Organisation,
  id: string,
): Promise<{ readonly scheme: string; readonly id: string }[]> {
  const { rows } = await sql<{ scheme: string; id: string }>`
    select scheme, business_id as id from merchant_summaries
    where organisation = ${organisationKey(organisation)} and business_id = ${id} and ${isListedMerchant}
    order by key limit 3`.execute(db)
  return rows
}
