import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../organisation.ts'
import type { Handle } from './database.ts'
import type { PageSize } from '../paging.ts'
import type { Json } from './records.ts'
import { findKeys, sortedBy } from './searching.ts'

export type StoredMerchant = { readonly details: Json; readonly goneAt: Date | null }

/** A merchant by business identifier, also one that is gone; undefined when it has not been read, or is not shared. */
export const findMerchant = async (
  db: Handle,
  organisation: Organisation,
  { scheme, id }: { readonly scheme: string; readonly id: string },
): Promise<StoredMerchant | undefined> => {
  const row = await db
    .selectFrom('merchants')
    .select(['details', 'gone_at as goneAt'])
    .where('organisation', '=', organisationKey(organisation))
    .where('key', '=', `${scheme}/${id}`)
    .executeTakeFirst()
  return row as StoredMerchant | undefined
}

/** Those merchants that have this business identifier, whatever its scheme: in two countries there may be one each. */
export const merchantsWithId = async (
  db: Handle,
  organisation: Organisation,
  id: string,
): Promise<{ readonly scheme: string; readonly id: string }[]> => {
  const { rows } = await sql<{ key: string }>`
    select key from merchants
    where organisation = ${organisationKey(organisation)} and gone_at is null
      and search_text like '%' || ${`:${id}`}::text and split_part(key, '/', 2) = ${id}
    order by key limit 3`.execute(db)
  return rows.map(({ key }) => ({ scheme: key.split('/')[0] ?? '', id }))
}

/** A merchant as a search shows it. */
export type FoundMerchant = { readonly scheme: string; readonly id: string; readonly name: string }

/** The first of the merchants that have `q` in name or business identifier, by name, and how many there are. */
export const searchMerchants = async (
  db: Handle,
  organisation: Organisation,
  q: string,
  size: PageSize,
): Promise<{ readonly rows: FoundMerchant[]; readonly total: number; readonly more: boolean }> => {
  const { rows, total, more } = await findKeys(db, {
    table: 'merchants',
    where: sql<boolean>`organisation = ${organisationKey(organisation)} and gone_at is null`,
    q,
    page: 1,
    size,
    ...sortedBy(['sort_key'], { descending: false }),
  })
  if (rows.length === 0) return { rows: [], total, more }
  const found = await db
    .selectFrom('merchants')
    .select(['key', 'name'])
    .where('organisation', '=', organisationKey(organisation))
    .where('key', 'in', rows)
    .execute()
  const names = new Map(found.map(({ key, name }) => [key, name]))
  return {
    rows: rows.map((key) => {
      const [scheme = '', id = ''] = key.split('/')
      return { scheme, id, name: names.get(key) ?? '' }
    }),
    total,
    more,
  }
}
