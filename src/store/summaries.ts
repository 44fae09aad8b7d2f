import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { portalTimeZone } from '../domain/time-zone.ts'
import type { Handle } from './database.ts'
import type { RecordTable } from './records.ts'

/** The number of an organisation's rows that are not removed. Slow for many rows: for the sync, not for pages. */
export async function countRows(db: Handle, organisation: Organisation, table: RecordTable): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from ${sql.table(table)}
    where organisation = ${organisationKey(organisation)} and removed_at is null`.execute(db)
  return rows[0]?.count ?? 0
}

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

/** The number of an organisation's product orders by status, type and product, in display order. */
export async function productOrderFacets(db: Handle, organisation: Organisation): Promise<ProductOrderFacets> {
  const facet = async (column: string, order: string): Promise<Facet> => {
    const { rows } = await sql<{ value: string; count: number }>`
      select ${sql.ref(column)} as value, count(*)::int as count from product_orders
      where organisation = ${organisationKey(organisation)} and removed_at is null and ${sql.ref(column)} is not null
      group by 1 order by min(${sql.ref(order)}), 1`.execute(db)
    return rows
  }
  const { rows: months } = await sql<OrdersOfMonth[number]>`
    select ${monthOf('first_seen_at')} as month, status as value, count(*)::int as count from product_orders
    where organisation = ${organisationKey(organisation)} and removed_at is null and first_seen_at > ${startLasts} + (
      select min(first_seen_at) from product_orders
      where organisation = ${organisationKey(organisation)} and removed_at is null)
    group by month, status order by month, min(rank), status`.execute(db)
  return {
    status: await facet('status', 'rank'),
    type: await facet('product_order_type', 'product_order_type'),
    product: await facet('product_type', 'product_type'),
    months,
  }
}

function monthOf(column: string) {
  return sql`to_char(date_trunc('month', ${sql.ref(column)} at time zone ${sql.lit(portalTimeZone)}), 'YYYY-MM')`
}

/** The number of an organisation's sales units added and removed by month and market. */
export async function salesUnitFacets(db: Handle, organisation: Organisation): Promise<SalesUnitFacets> {
  const of = organisationKey(organisation)
  const { rows } = await sql<SalesUnitFacets['growth'][number]>`
    select month, market, sum(come)::int as come, sum(gone)::int as gone from (
      select ${monthOf('first_seen_at')} as month, market, count(*) as come, 0 as gone
      from sales_units where organisation = ${of} and removed_at is null group by 1, 2
      union all
      select ${monthOf('first_seen_at')}, market, count(*), 0
      from sales_units where organisation = ${of} and removed_at is not null group by 1, 2
      union all
      select ${monthOf('removed_at')}, market, 0, count(*)
      from sales_units where organisation = ${of} and removed_at is not null group by 1, 2
    ) as moves group by month, market order by month, market`.execute(db)
  return { growth: rows }
}
