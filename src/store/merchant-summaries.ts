import { sql } from 'kysely'
import { merchantKey } from '../domain/business-identifier.ts'
import { finalStatuses } from '../domain/product-order.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'

/** SQL: the merchant has a current sales unit or order; the condition of the table's indexes. */
export const isListedMerchant = sql<boolean>`sales_units + orders > 0`

/** SQL: the merchant had a sales unit or order, and has none now. */
export const isRemovedMerchant = sql<boolean>`sales_units + orders = 0`

/** SQL: the order has no final status. */
export const isOpenOrder = sql<boolean>`status <> all(${[...finalStatuses]}::text[])`

/**
 * Counts the sales units and orders of these merchants again. Call it in the transaction that writes records, so that
 * the list of merchants always equals its parts.
 */
export async function summariseMerchants(
  trx: Handle,
  organisation: Organisation,
  identifiers: readonly { readonly scheme: string; readonly id: string }[],
): Promise<void> {
  if (identifiers.length === 0) return
  const own = sql`organisation = ${organisationKey(organisation)}`
  const schemes = identifiers.map(({ scheme }) => scheme)
  const ids = identifiers.map(({ id }) => id)
  // Each table is read once by the list of values: a join is planned badly while a table has no statistics yet.
  const these = sql`${own} and scheme = any(${[...new Set(schemes)]}::text[]) and business_id = any(${ids}::text[])`
  await sql`
    with merchant as (
      select scheme, id as business_id, scheme || '/' || id as key
      from unnest(${schemes}::text[], ${ids}::text[]) given (scheme, id)
    ), named as (
      select key, name, first_seen_at, nullif(changed_at, first_seen_at) as changed_at from merchants
      where ${own} and key = any(${identifiers.map(merchantKey)}::text[])
    ), unit as (
      select scheme, business_id, count(*) filter (where removed_at is null)::int as count,
        min(first_seen_at) as first_seen_at, max(changed_at) as changed_at
      from sales_units where ${these} group by scheme, business_id
    ), ordered as (
      select scheme, business_id, count(*) filter (where removed_at is null)::int as count,
        count(*) filter (where removed_at is null and ${isOpenOrder})::int as open,
        min(first_seen_at) as first_seen_at, max(changed_at) as changed_at
      from product_orders where ${these} group by scheme, business_id
    )
    insert into merchant_summaries as s (organisation, key, scheme, business_id, merchant_name,
      sales_units, orders, open_orders, first_seen_at, changed_at)
    select ${organisationKey(organisation)}, key, scheme, business_id, name,
      coalesce(unit.count, 0), coalesce(ordered.count, 0), coalesce(ordered.open, 0),
      coalesce(least(named.first_seen_at, unit.first_seen_at, ordered.first_seen_at), now()),
      coalesce(greatest(named.changed_at, unit.changed_at, ordered.changed_at), named.first_seen_at, now())
    from merchant left join named using (key) left join unit using (scheme, business_id)
      left join ordered using (scheme, business_id)
    on conflict (organisation, key) do update set merchant_name = excluded.merchant_name,
      sales_units = excluded.sales_units, orders = excluded.orders, open_orders = excluded.open_orders,
      first_seen_at = least(s.first_seen_at, excluded.first_seen_at), changed_at = excluded.changed_at
    where (s.merchant_name, s.sales_units, s.orders, s.open_orders, s.first_seen_at, s.changed_at) is distinct from
      (excluded.merchant_name, excluded.sales_units, excluded.orders, excluded.open_orders,
        least(s.first_seen_at, excluded.first_seen_at), excluded.changed_at)`.execute(trx)
}
