import { sql } from 'kysely'
import { merchantKey } from '../domain/business-identifier.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'
import type { Page, PageSize } from '../domain/paging.ts'
import type { Json } from './records.ts'
import { findPage, type Found, matches, sortedBy } from './searching.ts'

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

/** Merchants with this business identifier in any scheme; two countries may use the same one. */
export async function merchantsWithId(
  db: Handle,
  organisation: Organisation,
  id: string,
): Promise<{ readonly scheme: string; readonly id: string }[]> {
  const { rows } = await sql<{ scheme: string }>`
    select split_part(key, '/', 1) as scheme from merchants
    where organisation = ${organisationKey(organisation)} and removed_at is null and ${matches(id)}
      and split_part(key, '/', 2) = ${id}
    order by key limit 3`.execute(db)
  return rows.map(({ scheme }) => ({ scheme, id }))
}

/** A merchant in search results. */
export type FoundMerchant = { readonly scheme: string; readonly id: string; readonly name: string }

/** The first merchants with `q` in name or business identifier, by name, and how many there are. */
export async function searchMerchants(
  db: Handle,
  organisation: Organisation,
  q: string,
  size: PageSize,
  language: string,
): Promise<Page<FoundMerchant>> {
  const where = sql<boolean>`organisation = ${organisationKey(organisation)} and removed_at is null`
  const order = sortedBy(['sort_key'], { descending: false, language })
  return findPage(db, { table: 'merchants', where, q, page: 1, size, ...order }, namesOf(db, organisation))
}

function namesOf(db: Handle, organisation: Organisation) {
  return async (found: Found): Promise<FoundMerchant[]> => {
    const rows = await db
      .selectFrom('merchants as m')
      .innerJoin(found.as('found'), (join) => join.onRef('found.key', '=', 'm.key'))
      .select(['m.key', 'm.name'])
      .where('m.organisation', '=', organisationKey(organisation))
      .orderBy('found.position')
      .execute()
    return rows.map(({ key, name }) => {
      const [scheme = '', id = ''] = key.split('/')
      return { scheme, id, name }
    })
  }
}
