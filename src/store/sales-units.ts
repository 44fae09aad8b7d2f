import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../organisation.ts'
import type { Page, PageAsked, Sorting } from '../paging.ts'
import type { Handle } from './database.ts'
import type { Json } from './records.ts'
import { findAllKeys, findPage, type Found, inThisOrder, isValue, sortedBy } from './searching.ts'

/** A sales unit as it is now. `details` is null until they have been read. */
export type StoredSalesUnit = {
  readonly msn: string
  readonly name: string
  readonly merchantName: string | null
  readonly listed: Json | null
  readonly details: Json | null
  readonly firstSeenAt: Date
  /** When it was found gone; only `findSalesUnit` gives those. */
  readonly goneAt: Date | null
  /** Whether its merchant has been asked for: a name that is missing then is not shared. */
  readonly isMerchantRead: boolean
}

const selectSalesUnits = (db: Handle, organisation: Organisation) =>
  db
    .selectFrom('sales_units as s')
    .leftJoin('readings as r', (join) =>
      join
        .onRef('r.organisation', '=', 's.organisation')
        .on('r.resource', '=', 'merchant')
        .on('r.key', '=', sql<string>`s.scheme || '/' || s.business_id`),
    )
    .select(['s.key as msn', 's.name', 's.merchant_name as merchantName', 's.listed', 's.details'])
    .select(['s.first_seen_at as firstSeenAt', 's.gone_at as goneAt'])
    .select(sql<boolean>`r.checked_at is not null`.as('isMerchantRead'))
    .where('s.organisation', '=', organisationKey(organisation))

/** What may be asked of the list; an empty string asks for all. */
export type SalesUnitFilter = {
  /** Looked for in name, MSN, merchant name and business identifier. */
  readonly q: string
  /** A country, such as NO. */
  readonly market: string
  readonly capture: string
  /** Switches of the configuration, all of which must be on. */
  readonly can: readonly string[]
}

export type SalesUnitColumn = 'name' | 'msn' | 'merchant' | 'identifier' | 'seen'

const columns: Readonly<Record<SalesUnitColumn, readonly string[]>> = {
  name: ['sort_key'],
  msn: ['msn_number'],
  merchant: ['merchant_sort_key'],
  identifier: ['scheme', 'business_id'],
  seen: ['first_seen_at'],
}

const search = (
  organisation: Organisation,
  { q, market, capture, can }: SalesUnitFilter,
  sort: Sorting<SalesUnitColumn>,
) => ({
  table: 'sales_units',
  where: sql<boolean>`organisation = ${organisationKey(organisation)} and gone_at is null
    and ${isValue('market', market)} and ${isValue('capture_type', capture)}
    and ${can.length === 0 ? sql`true` : sql`capabilities @> ${can}::text[]`}`,
  q,
  ...sortedBy(columns[sort.column], sort),
})

const rowsOf =
  (db: Handle, organisation: Organisation) =>
  async (found: Found): Promise<StoredSalesUnit[]> => {
    const rows = await selectSalesUnits(db, organisation)
      .innerJoin(found.as('found'), (join) => join.onRef('found.key', '=', 's.key'))
      .orderBy('found.position')
      .execute()
    return rows as StoredSalesUnit[]
  }

/** The organisation's sales units with these MSNs, in their order. */
export const salesUnitsOf = async (
  db: Handle,
  organisation: Organisation,
  msns: readonly string[],
): Promise<StoredSalesUnit[]> => rowsOf(db, organisation)(inThisOrder(msns))

/**
 * A page of the organisation's sales units.
 * @param asked.total how many there are without any filter, where that is known
 */
export const findSalesUnits = async (
  db: Handle,
  organisation: Organisation,
  filter: SalesUnitFilter,
  asked: PageAsked<SalesUnitColumn> & { readonly total?: number | undefined },
): Promise<Page<StoredSalesUnit>> => {
  const { sort, total, ...where } = asked
  const isFiltered = filter.market !== '' || filter.capture !== '' || filter.can.length > 0
  const wanted = { ...search(organisation, filter, sort), ...where, total: isFiltered ? undefined : total }
  return findPage(db, wanted, rowsOf(db, organisation))
}

/** The MSNs of all that the filter finds, in order. */
export const allSalesUnits = async (
  db: Handle,
  organisation: Organisation,
  filter: SalesUnitFilter,
  sort: Sorting<SalesUnitColumn>,
): Promise<string[]> => findAllKeys(db, search(organisation, filter, sort))

/** One sales unit, also one that is gone; undefined when the organisation never had it. */
export const findSalesUnit = async (
  db: Handle,
  organisation: Organisation,
  msn: string,
): Promise<StoredSalesUnit | undefined> => {
  const row = await selectSalesUnits(db, organisation).where('s.key', '=', msn).executeTakeFirst()
  return row as StoredSalesUnit | undefined
}

/** A merchant's sales units by name, as far as they have been read: at most `limit` of them. */
export const salesUnitsOfMerchant = async (
  db: Handle,
  organisation: Organisation,
  identifier: { readonly scheme: string; readonly id: string },
  limit: number,
): Promise<{ readonly msn: string; readonly name: string }[]> =>
  db
    .selectFrom('sales_units')
    .select(['key as msn', 'name'])
    .where('organisation', '=', organisationKey(organisation))
    .where('scheme', '=', identifier.scheme)
    .where('business_id', '=', identifier.id)
    .where('gone_at', 'is', null)
    .orderBy('sort_key')
    .orderBy('key')
    .limit(limit)
    .execute()
