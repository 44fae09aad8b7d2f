import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'
import type { Json } from './records.ts'

/** All price packages of the partner; there are few. */
export async function findPricePackages(db: Handle, organisation: Organisation): Promise<Json[]> {
  return rowsOf(db, organisation, 'price_packages')
}

async function rowsOf(db: Handle, organisation: Organisation, table: 'price_packages' | 'templates'): Promise<Json[]> {
  const rows = await db
    .selectFrom(table)
    .select('listed')
    .where('organisation', '=', organisationKey(organisation))
    .where('removed_at', 'is', null)
    .orderBy('key')
    .execute()
  return rows.map(({ listed }) => listed as Json)
}

/** The current price packages with these IDs, of every partner. */
export async function pricePackagesWithIds(
  db: Handle,
  ids: readonly string[],
): Promise<{ readonly organisation: string; readonly id: string }[]> {
  return db
    .selectFrom('price_packages')
    .select(['organisation', 'key as id'])
    .where('key', 'in', ids.length === 0 ? [''] : [...ids])
    .where('removed_at', 'is', null)
    .execute()
}

/** All product order templates of the partner; there are few. */
export async function findTemplates(db: Handle, organisation: Organisation): Promise<Json[]> {
  return rowsOf(db, organisation, 'templates')
}
