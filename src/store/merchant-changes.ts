import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Change } from './changes.ts'
import type { Handle } from './database.ts'

/** The last change of a merchant, its sales units or its orders; `status` is the known one that an order got, else ''. */
export type MerchantChange = Pick<Change, 'resource' | 'kind' | 'at'> & { readonly status: string }

/**
 * The last change of each of these merchants by key: of the record that changed last, as far as the history or the
 * record itself tells it. For viewers it is the last one of that record of which they may see something.
 */
export async function lastChangesOf(
  db: Handle,
  organisation: Organisation,
  keys: readonly string[],
  isForViewer: boolean,
): Promise<Map<string, MerchantChange>> {
  const kindOfRecord = sql`case changed_at when first_seen_at then 'added' when removed_at then 'removed' end as kind`
  const ofMerchant = sql`organisation = m.organisation and scheme = m.scheme and business_id = m.business_id`
  const { rows } = await sql<MerchantChange & { merchant: string }>`
    select m.key as merchant, record.resource, coalesce(change.kind, record.kind) as kind,
      coalesce(change.status, '') as status, coalesce(change.at, m.changed_at) as at
    from merchant_summaries m cross join lateral (
      select 'salesUnit' as resource, key, ${kindOfRecord} from sales_units
      where ${ofMerchant} and changed_at = m.changed_at
      union all
      select 'productOrder', key, ${kindOfRecord} from product_orders
      where ${ofMerchant} and changed_at = m.changed_at
      union all
      select 'merchant', key, ${kindOfRecord} from merchants
      where organisation = m.organisation and key = m.key and changed_at = m.changed_at
      limit 1
    ) record left join lateral (
      select kind, status, at from changes
      where organisation = m.organisation and resource = record.resource and key = record.key
        and ${isForViewer ? sql`for_viewers` : sql`true`}
      order by moment desc, alike desc, id desc limit 1
    ) change on true
    where m.organisation = ${organisationKey(organisation)} and m.key = any(${keys}::text[])
      and coalesce(change.kind, record.kind) is not null`.execute(db)
  return new Map(rows.map(({ merchant, ...change }) => [merchant, change]))
}
