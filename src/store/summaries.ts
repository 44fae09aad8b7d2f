import { type RawBuilder, sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { portalTimeZone } from '../domain/time-zone.ts'
import type { Handle } from './database.ts'
import type { RecordTable } from './records.ts'
import type { ListResource } from './sync-state.ts'

/** The number of orders by value. */
export type Facet = readonly { readonly value: string; readonly count: number }[]

/** The number of orders by the month when they were first seen, such as `2026-11`, and their current status. */
export type OrdersOfMonth = readonly {
  readonly month: string
  readonly value: string
  readonly count: number
}[]

/** The stored counts of product orders. */
export type ProductOrderFacets = {
  readonly status: Facet
  readonly type: Facet
  readonly product: Facet
  /** Without the orders of the first sync, whose age is unknown. */
  readonly months: OrdersOfMonth
}

/** The number of sales units added and removed by month and market; market null: not known yet. */
export type SalesUnitFacets = {
  readonly growth: readonly {
    readonly month: string
    readonly market: string | null
    readonly come: number
    readonly gone: number
  }[]
}

/**
 * Rows first seen within this time after the first of their kind belong to the first sync, so they do not count as new.
 * Longer than the longest list takes to read and write.
 */
export const startLasts = sql`interval '1 hour'`

/** Up to so many sales units their growth is counted while details are read; above, only at the end. */
const fewRows = 5000

/**
 * Counts an organisation's rows for the pages that show the counts, in one statement. Slow for many rows: for the sync,
 * not for pages.
 * @param how.inPassing true during a run, when only the progress matters
 * @param how.again leaves out a list that was never read, which stays unknown rather than empty
 */
export async function summarise(
  db: Handle,
  organisation: Organisation,
  { resource, table }: { readonly resource: ListResource; readonly table: RecordTable },
  { inPassing = false, again = false }: { readonly inPassing?: boolean; readonly again?: boolean } = {},
): Promise<void> {
  const own = sql`organisation = ${organisationKey(organisation)}`
  const isKnown = again ? sql`(s.checked_at is not null or s.total is not null)` : sql`true`
  await sql`
    update sync_state s set total = counted.total, done = ${doneOf(resource, own)}, facets = ${facetsOf(resource, own, inPassing)}
    from (select count(*)::int as total from ${sql.table(table)} where ${own} and removed_at is null) counted
    where s.${own} and s.resource = ${resource} and s.key = '' and ${isKnown}`.execute(db)
}

/** The number of sales units whose details, and those of their merchants, have been read. */
function doneOf(resource: ListResource, own: RawBuilder<unknown>): RawBuilder<unknown> {
  if (resource !== 'salesUnits') return sql`null`
  return sql`greatest(0, counted.total - (
    select count(*)::int from sync_state
    where ${own} and checked_at is null and resource in ('salesUnit', 'merchant') and due_at < 'infinity'))`
}

function facetsOf(resource: ListResource, own: RawBuilder<unknown>, inPassing: boolean): RawBuilder<unknown> {
  if (resource === 'productOrders') return productOrderFacets(own)
  if (resource !== 'salesUnits') return sql`null`
  return inPassing
    ? sql`case when counted.total > ${fewRows} then s.facets else ${salesUnitFacets(own)} end`
    : salesUnitFacets(own)
}

/** ProductOrderFacets, each in display order. */
function productOrderFacets(own: RawBuilder<unknown>): RawBuilder<unknown> {
  const current = sql`product_orders where ${own} and removed_at is null`
  const facet = (column: string, order: string): RawBuilder<unknown> => sql`(
    select coalesce(jsonb_agg(jsonb_build_object('value', value, 'count', count) order by position, value), '[]')
    from (select ${sql.ref(column)} as value, count(*)::int as count, min(${sql.ref(order)}) as position
      from ${current} and ${sql.ref(column)} is not null group by 1) facet)`
  return sql`jsonb_build_object(
    'status', ${facet('status', 'rank')},
    'type', ${facet('product_order_type', 'product_order_type')},
    'product', ${facet('product_type', 'product_type')},
    'months', (
      select coalesce(jsonb_agg(
        jsonb_build_object('month', month, 'value', status, 'count', count) order by month, position, status), '[]')
      from (
        select ${monthOf('first_seen_at')} as month, status, count(*)::int as count, min(rank) as position
        from ${current} and first_seen_at > ${startLasts} + (select min(first_seen_at) from ${current})
        group by 1, 2) months))`
}

/** SalesUnitFacets. */
function salesUnitFacets(own: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`jsonb_build_object('growth', (
    select coalesce(jsonb_agg(
      jsonb_build_object('month', month, 'market', market, 'come', come, 'gone', gone) order by month, market), '[]')
    from (
      select month, market, sum(come)::int as come, sum(gone)::int as gone from (
        select ${monthOf('first_seen_at')} as month, market, count(*) as come, 0 as gone
        from sales_units where ${own} group by 1, 2
        union all
        select ${monthOf('removed_at')}, market, 0, count(*)
        from sales_units where ${own} and removed_at is not null group by 1, 2
      ) moves group by month, market) growth))`
}

function monthOf(column: string): RawBuilder<unknown> {
  return sql`to_char(date_trunc('month', ${sql.ref(column)} at time zone ${sql.lit(portalTimeZone)}), 'YYYY-MM')`
}
