import { type RawBuilder, sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Page, PageAsked, Sorting } from '../domain/paging.ts'
import type { Handle } from './database.ts'
import type { Json } from './records.ts'
import {
  countFound,
  findAllKeys,
  findPage,
  type Found,
  inThisOrder,
  isOfMerchant,
  isValue,
  sortedBy,
} from './searching.ts'
import { endOfFirstSync } from './summaries.ts'
import { endOfMonth, inMonth, sinceDays } from './time-filters.ts'

type Common = {
  readonly msn: string
  readonly name: string
  readonly merchantName: string | null
  readonly firstSeenAt: Date
  readonly removedAt: Date | null
  /** Whether its merchant has been read: a name that is missing then is not shared. */
  readonly isMerchantRead: boolean
  /** The known price package, who says so, and since when. */
  readonly pricePackageId: string | null
  readonly pricePackageSource: 'api' | 'file' | null
  readonly pricePackageSince: Date | null
}

/** A sales unit as stored. `details` is null until they have been read. */
export type StoredSalesUnit = Common & {
  readonly listed: Json | null
  readonly details: Json | null
  /** The product of the order that created it, as far as an order that names the partner says so. */
  readonly product: string | null
}

/** The columns of a sales unit that a list shows; all details would be most of the cost of a page. */
export type SalesUnitRow = Common & {
  readonly areDetailsRead: boolean
  /** From the details; null until they have been read, or when the API gives none. */
  readonly scheme: string | null
  readonly businessId: string | null
  /** A part of the configuration as the API sent it: true, false, or null when absent. */
  readonly paymentAllowed: unknown
  readonly recurringAllowed: unknown
  readonly captureType: unknown
}

const common = sql`s.key as msn, s.name, s.merchant_name as "merchantName", s.first_seen_at as "firstSeenAt",
  s.removed_at as "removedAt",
  r.checked_at is not null as "isMerchantRead", s.price_package_id as "pricePackageId",
  s.price_package_source as "pricePackageSource", s.price_package_since as "pricePackageSince"`
const whole = sql`${common}, s.listed, s.details, (
  select product_type from product_orders o
  where o.organisation = s.organisation and o.msn = s.key and o.removed_at is null and product_type is not null
  order by changed_at desc limit 1) as product`
const row = sql`${common}, s.details is not null as "areDetailsRead", s.scheme, s.business_id as "businessId",
  s.details #> '{configuration,paymentAllowed}' as "paymentAllowed",
  s.details #> '{configuration,recurringAllowed}' as "recurringAllowed",
  s.details #> '{configuration,captureType}' as "captureType"`

const withMerchants = sql`sales_units s left join sync_state r
  on r.organisation = s.organisation and r.resource = 'merchant' and r.key = s.scheme || '/' || s.business_id`

/**
 * The sets of sales units that pages name and count; an empty string matches all. Filters by when a sales unit was first
 * seen leave out those of the first sync, whose age is unknown.
 */
export type SalesUnitFilter = {
  /** Search text for name, MSN, merchant name and business identifier. */
  readonly q: string
  /** A country, such as NO. */
  readonly market: string
  readonly capture: string
  /** Switches of the configuration that must all be on. */
  readonly can: readonly string[]
  /** First seen in the last so many days. */
  readonly new: string
  /** First seen in this month, such as 2026-11. */
  readonly month: string
  /** Shared at the end of this month, such as 2026-11, also if it is not any more. */
  readonly at: string
  /** Those that are no longer shared, instead of those that are. */
  readonly removed: boolean
  /** `none`: without a webhook of their own, as far as their webhooks have been read. */
  readonly webhooks: string
  /** The merchantKey() of the merchant. */
  readonly merchant: string
  /** The ID of a price package that it is known to have. */
  readonly package: string
}

/** The filter that matches every sales unit that is shared. */
export const everySalesUnit: SalesUnitFilter = {
  q: '',
  market: '',
  capture: '',
  can: [],
  new: '',
  month: '',
  at: '',
  removed: false,
  webhooks: '',
  merchant: '',
  package: '',
}

/** A column that sales units can be sorted by. */
export type SalesUnitColumn = 'name' | 'msn' | 'merchant' | 'identifier' | 'seen' | 'removed'

const sortColumns: Readonly<Record<SalesUnitColumn, readonly string[]>> = {
  name: ['sort_key'],
  msn: ['msn_number'],
  merchant: ['merchant_sort_key'],
  identifier: ['scheme', 'business_id'],
  seen: ['first_seen_at'],
  removed: ['removed_at'],
}

/** The organisation's sales units with these MSNs, in their order. */
export async function salesUnitsOf(
  db: Handle,
  organisation: Organisation,
  msns: readonly string[],
): Promise<StoredSalesUnit[]> {
  return foundIn(db, organisation, inThisOrder(msns), whole)
}

/** The sales units of these keys, in their order. */
async function foundIn<Row extends Common>(
  db: Handle,
  organisation: Organisation,
  found: Found,
  columns: RawBuilder<unknown>,
): Promise<Row[]> {
  const { rows } = await sql<Row>`
    select ${columns} from ${withMerchants} join ${found} found on found.key = s.key
    where s.organisation = ${organisationKey(organisation)} order by found.position`.execute(db)
  return rows
}

/**
 * A page of the organisation's sales units.
 * @param asked.total the number of sales units without any filter, when known
 */
export async function findSalesUnits(
  db: Handle,
  organisation: Organisation,
  filter: SalesUnitFilter,
  asked: PageAsked<SalesUnitColumn> & { readonly total?: number | undefined },
): Promise<Page<SalesUnitRow>> {
  const { sort, total, ...where } = asked
  const { removed, ...narrowing } = filter
  const isNarrowed = removed || Object.values(narrowing).some((value) => value.length > 0)
  const pageSearch = {
    ...search(organisation, filter, sort),
    ...where,
    total: isNarrowed ? undefined : total,
    listTotal: total,
  }
  return findPage(db, pageSearch, async (found) => foundIn<SalesUnitRow>(db, organisation, found, row))
}

/** The number of sales units of the filter, as its list says it. */
export async function countSalesUnits(db: Handle, organisation: Organisation, filter: SalesUnitFilter) {
  return countFound(db, search(organisation, filter, { column: 'name', descending: false }))
}

function search(organisation: Organisation, filter: SalesUnitFilter, sort: Sorting<SalesUnitColumn>) {
  const own = sql`organisation = ${organisationKey(organisation)}`
  const { q, can, month, at, removed, webhooks } = filter
  const isNew = filter.new !== '' || month !== ''
  const terms = [
    sql`${own} and ${isThere(at, removed)}`,
    isValue('market', filter.market),
    isValue('capture_type', filter.capture),
    isOfMerchant(filter.merchant),
    isValue('price_package_id', filter.package),
    ...(can.length === 0 ? [] : [sql`capabilities @> ${can}::text[]`]),
    ...(filter.new === '' ? [] : [sinceDays('first_seen_at', filter.new)]),
    ...(month === '' ? [] : [inMonth('first_seen_at', month)]),
    ...(isNew ? [sql`first_seen_at > ${endOfFirstSync('sales_units', own)}`] : []),
    ...(webhooks === '' ? [] : [withoutWebhooks]),
  ]
  return {
    table: 'sales_units',
    where: sql<boolean>`${sql.join(terms, sql` and `)}`,
    q,
    ...sortedBy(sortColumns[sort.column], sort),
  }
}

function isThere(at: string, removed: boolean): RawBuilder<boolean> {
  const isNow = sql<boolean>`removed_at ${removed ? sql`is not null` : sql`is null`}`
  if (at === '') return isNow
  const wasThen = sql<boolean>`first_seen_at < ${endOfMonth(at)} and coalesce(removed_at >= ${endOfMonth(at)}, true)`
  return removed ? sql<boolean>`${wasThen} and ${isNow}` : wasThen
}

const withoutWebhooks = sql`
  exists (select from sync_state r where r.organisation = sales_units.organisation
    and r.resource = 'salesUnitWebhooks' and r.key = sales_units.key and r.checked_at is not null)
  and not exists (select from webhooks w where w.organisation = sales_units.organisation
    and w.msn = sales_units.key and w.removed_at is null)`

/** The number of sales units that are no longer shared. */
export async function countRemovedSalesUnits(db: Handle, organisation: Organisation): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from sales_units
    where organisation = ${organisationKey(organisation)} and removed_at is not null`.execute(db)
  return rows[0]?.count ?? 0
}

/** The MSNs of all matches, in order. */
export async function allSalesUnits(
  db: Handle,
  organisation: Organisation,
  filter: SalesUnitFilter,
  sort: Sorting<SalesUnitColumn>,
): Promise<string[]> {
  return findAllKeys(db, search(organisation, filter, sort))
}

/** One sales unit, also a removed one with the time of its removal; undefined when the organisation never had it. */
export async function findSalesUnit(
  db: Handle,
  organisation: Organisation,
  msn: string,
): Promise<StoredSalesUnit | undefined> {
  const { rows } = await sql<StoredSalesUnit>`
    select ${whole} from ${withMerchants}
    where s.organisation = ${organisationKey(organisation)} and s.key = ${msn}`.execute(db)
  return rows[0]
}

/** A merchant's sales units by name, as far as their details have been read: at most `limit`. */
export async function salesUnitsOfMerchant(
  db: Handle,
  organisation: Organisation,
  identifier: { readonly scheme: string; readonly id: string },
  limit: number,
): Promise<{ readonly msn: string; readonly name: string }[]> {
  return db
    .selectFrom('sales_units')
    .select(['key as msn', 'name'])
    .where('organisation', '=', organisationKey(organisation))
    .where('scheme', '=', identifier.scheme)
    .where('business_id', '=', identifier.id)
    .where('removed_at', 'is', null)
    .orderBy('sort_key')
    .orderBy('key')
    .limit(limit)
    .execute()
}
