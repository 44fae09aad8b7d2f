import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { linkDays, waitingStatuses } from '../domain/product-order.ts'
import type { Handle } from './database.ts'
import { startLasts } from './summaries.ts'

/** The newest rows of one kind on the landing page, and how many there are, counted up to 1000. */
export type Few<Row> = { readonly count: number; readonly rows: readonly Row[] }

/** Sales units first seen in the last seven days, without those of the first sync. */
export async function newSalesUnits(
  db: Handle,
  organisation: Organisation,
): Promise<Few<{ readonly msn: string; readonly name: string; readonly at: Date }>> {
  const of = organisationKey(organisation)
  const found = sql`
    select key as msn, name, first_seen_at as at from sales_units
    where organisation = ${of} and removed_at is null
      and first_seen_at > greatest(now() - interval '7 days', ${startOf('sales_units', of)})
    order by first_seen_at desc`
  return few(db, found, sql`at desc, msn`)
}

/** The latest time at which rows of a table count as part of the first sync. */
function startOf(table: 'sales_units' | 'product_orders', of: string) {
  return sql`
  (select min(first_seen_at) + ${startLasts} from ${sql.table(table)} where organisation = ${of} and removed_at is null)`
}

async function few<Row>(db: Handle, found: ReturnType<typeof sql>, order: ReturnType<typeof sql>): Promise<Few<Row>> {
  const { rows } = await sql<Row & { found: number }>`
    with found as materialized (${found} limit 1000)
    select *, (select count(*) from found)::int as found from found order by ${order} limit 3`.execute(db)
  return { count: rows[0]?.found ?? 0, rows }
}

/** An order for the landing page: its merchant, and the time that matters. */
export type NotedOrder = {
  readonly productOrderId: string
  readonly merchantName: string | null
  readonly scheme: string | null
  readonly businessId: string | null
  readonly at: Date
}

/**
 * Prefilled orders that wait for their merchant and were first seen 10 to 14 days ago; their link expires 14 days after
 * creation. `at` is when they were first seen, the next to expire first.
 */
export async function ordersAboutToExpire(db: Handle, organisation: Organisation): Promise<Few<NotedOrder>> {
  const found = sql`
    select ${noted('first_seen_at')} from product_orders
    where organisation = ${organisationKey(organisation)} and removed_at is null and product_order_type = 'PREFILL'
      and status = any(${waitingStatuses})
      and first_seen_at between now() - ${linkDays}::int * interval '1 day' and now() - interval '10 days'
    order by first_seen_at`
  return few(db, found, sql`at, "productOrderId"`)
}

function noted(at: string) {
  return sql`
  key as "productOrderId", merchant_name as "merchantName", scheme, business_id as "businessId", ${sql.ref(at)} as at`
}

/** Orders that became rejected in the last 14 days, without those of the first sync. `at` is when. */
export async function rejectedLately(db: Handle, organisation: Organisation): Promise<Few<NotedOrder>> {
  const of = organisationKey(organisation)
  const found = sql`
    select ${noted('changed_at')} from product_orders
    where organisation = ${of} and removed_at is null and rank = 5
      and changed_at > greatest(now() - interval '14 days', ${startOf('product_orders', of)})
    order by changed_at desc`
  return few(db, found, sql`at desc, "productOrderId"`)
}
