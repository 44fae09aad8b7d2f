import { type Organisation, organisationKey } from '../organisation.ts'
import type { Handle } from './database.ts'
import type { Json } from './records.ts'

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
