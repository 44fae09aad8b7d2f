import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../organisation.ts'
import type { Handle } from './database.ts'
import type { RecordTable } from './records.ts'

/** How many of an organisation's rows are not gone. Takes a while for many: for the sync, not for pages. */
export const countRows = async (
  db: Handle,
  organisation: Organisation,
  table: RecordTable,
): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from ${sql.table(table)}
    where organisation = ${organisationKey(organisation)} and gone_at is null`.execute(db)
  return rows[0]?.count ?? 0
}

/** How many orders have each value. */
export type Facet = readonly { readonly value: string; readonly count: number }[]
export type ProductOrderFacets = { readonly status: Facet; readonly type: Facet; readonly product: Facet }

/** How many of an organisation's product orders have each status, type and product, in the order of their display. */
export const productOrderFacets = async (
  db: Handle,
  organisation: Organisation,
): Promise<ProductOrderFacets> => {
  const facet = async (column: string, order: string): Promise<Facet> => {
    const { rows } = await sql<{ value: string; count: number }>`
      select ${sql.ref(column)} as value, count(*)::int as count from product_orders
      where organisation = ${organisationKey(organisation)} and gone_at is null and ${sql.ref(column)} is not null
      group by 1 order by min(${sql.ref(order)}), 1`.execute(db)
    return rows
  }
  return {
    status: await facet('status', 'rank'),
    type: await facet('product_order_type', 'product_order_type'),
    product: await facet('product_type', 'product_type'),
  }
}
