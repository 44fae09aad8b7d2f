import { type RawBuilder, sql } from 'kysely'
import { merchantKey } from '../domain/business-identifier.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Page, PageAsked, Sorting } from '../domain/paging.ts'
import type { Handle } from './database.ts'
import { isListedMerchant, isRemovedMerchant } from './merchant-summaries.ts'
import type { Json } from './records.ts'
import { countFound, findAllKeys, findPage, type Found, inThisOrder, isValue, matches, sortedBy } from './searching.ts'
import { endOfFirstSync } from './summaries.ts'
import { sinceDays } from './time-filters.ts'

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
  /** The newest change of the merchant, its sales units or its orders; the first read of its details is none. */
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
  /** The product of a current order. */
  readonly product: string
  /** The number of sales units. */
  readonly units: keyof typeof unitNumbers | ''
  /** Open orders. */
  readonly orders: keyof typeof orderNumbers | ''
  /** First seen in the last so many days, without the merchants of the first sync, whose age is unknown. */
  readonly new: string
  /** Those without current sales units and orders, instead of those with some. */
  readonly removed: boolean
}

const unitNumbers = {
  some: sql`sales_units > 0`,
  none: sql`sales_units = 0`,
  one: sql`sales_units = 1`,
  few: sql`sales_units between 2 and 9`,
  many: sql`sales_units >= 10`,
}
const orderNumbers = { some: sql`open_orders > 0`, none: sql`open_orders = 0` }

/** The filter that matches every merchant with a current sales unit or order. */
export const everyMerchant: MerchantFilter = {
  q: '',
  market: '',
  product: '',
  units: '',
  orders: '',
  new: '',
  removed: false,
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
 * A page of the organisation's merchants.
 * @param asked.total the number of matches, when known
 */
export async function findMerchants(
  db: Handle,
  organisation: Organisation,
  filter: MerchantFilter,
  { sort, ...asked }: PageAsked<MerchantColumn> & { readonly total?: number | undefined },
): Promise<Page<MerchantSummary>> {
  return findPage(db, { ...searchFor(organisation, filter, sort), ...asked }, rowsOf(db, organisation))
}

/** What the tabs of the list filter by; the rest of a filter narrows all of them. */
export type MerchantTab = Pick<MerchantFilter, 'units' | 'orders' | 'new' | 'removed'>

/** The exact number of merchants of each tab, and of all removed ones, whatever the filter. */
export async function countMerchantTabs(
  db: Handle,
  organisation: Organisation,
  filter: MerchantFilter,
  tabs: readonly MerchantTab[],
): Promise<{ readonly counts: readonly number[]; readonly removed: number }> {
  const own = ownedBy(organisation)
  // Each part has indexes of its own.
  const part = (removed: boolean) => sql`
    select ${removed}::boolean as removed, sales_units, open_orders, first_seen_at from merchant_summaries
    where ${own} and ${isThere(removed)} and ${isNarrowed(own, filter)} and ${matches(filter.q)}`
  const counts = tabs.map(
    (tab) => sql`count(*) filter (where removed = ${tab.removed}::boolean and ${isOfTab(own, tab)})`,
  )
  const { rows } = await sql<{ counts: number[]; removed: number }>`
    select array[${sql.join(counts)}]::int[] as counts,
      (select count(*)::int from merchant_summaries where ${own} and ${isRemovedMerchant}) as removed
    from (${part(false)} union all ${part(true)}) found`.execute(db)
  return rows[0] ?? { counts: [], removed: 0 }
}

/** The number of merchants of the filter alone, as far as a page of them counts without a text. */
export async function countMerchants(db: Handle, organisation: Organisation, filter: MerchantFilter) {
  return countFound(db, searchFor(organisation, filter, { column: 'name', descending: false }))
}

function searchFor(organisation: Organisation, filter: MerchantFilter, sort: Sorting<MerchantColumn>) {
  const own = ownedBy(organisation)
  const where = sql<boolean>`
    ${own} and ${isThere(filter.removed)} and ${isNarrowed(own, filter)} and ${isOfTab(own, filter)}`
  return { table: 'merchant_summaries', where, q: filter.q, ...sortedBy(columns[sort.column], sort) }
}

function ownedBy(organisation: Organisation): RawBuilder<boolean> {
  return sql<boolean>`organisation = ${organisationKey(organisation)}`
}

function isThere(removed: boolean): RawBuilder<boolean> {
  return removed ? isRemovedMerchant : isListedMerchant
}

function isNarrowed(own: RawBuilder<boolean>, { market, product }: MerchantFilter): RawBuilder<boolean> {
  if (product === '') return isValue('market', market)
  return sql<boolean>`${isValue('market', market)} and (scheme, business_id) in (
    select scheme, business_id from product_orders where ${own} and removed_at is null and product_type = ${product})`
}

function isOfTab(own: RawBuilder<boolean>, { units, orders, new: newFor }: MerchantTab): RawBuilder<boolean> {
  const terms = [
    units === '' ? sql`true` : unitNumbers[units],
    orders === '' ? sql`true` : orderNumbers[orders],
    newFor === ''
      ? sql`true`
      : sql`${sinceDays('first_seen_at', newFor)} and first_seen_at > ${endOfFirstSync('merchant_summaries', own)}`,
  ]
  return sql<boolean>`${sql.join(terms, sql` and `)}`
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
