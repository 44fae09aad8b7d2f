import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../organisation.ts'
import type { Page } from '../paging.ts'
import type { Handle } from './database.ts'
import type { Json } from './records.ts'
import { findKeys } from './searching.ts'

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

/**
 * A page of the organisation's sales units, by name. `q` is looked for in name, MSN, merchant name and business
 * identifier.
 * @param filter.total how many there are, where that is known
 */
export const findSalesUnits = async (
  db: Handle,
  organisation: Organisation,
  filter: { readonly q: string; readonly page: number; readonly total?: number | undefined },
): Promise<Page<StoredSalesUnit>> => {
  const page = await findKeys(db, {
    table: 'sales_units',
    where: sql`organisation = ${organisationKey(organisation)} and gone_at is null`,
    order: sql`sort_key, key`,
    columns: sql`sort_key`,
    ...filter,
  })
  if (page.rows.length === 0) return { ...page, rows: [] }
  const rows = await selectSalesUnits(db, organisation)
    .where('s.key', 'in', page.rows)
    .orderBy('s.sort_key')
    .orderBy('s.key')
    .execute()
  return { ...page, rows: rows as StoredSalesUnit[] }
}

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
