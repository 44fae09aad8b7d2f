import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../organisation.ts'
import type { Page } from '../paging.ts'
import type { Handle } from './database.ts'
import type { Json } from './records.ts'
import { findKeys } from './searching.ts'

/** A product order as it is now: what the list said, and the details where somebody has opened it. */
export type StoredProductOrder = {
  readonly listed: Json | null
  readonly details: Json | null
  readonly merchantName: string | null
  /** When the portal saw it for the first time, and when it last saw something about it change. */
  readonly firstSeenAt: Date
  readonly changedAt: Date
  readonly goneAt: Date | null
}

/** What may be asked of the list; an empty string asks for all. */
export type ProductOrderFilter = {
  readonly q: string
  readonly status: string
  readonly type: string
  readonly product: string
  /** Expired orders are left out unless asked for. */
  readonly expired: boolean
  readonly page: number
}

const selectProductOrders = (db: Handle, organisation: Organisation) =>
  db
    .selectFrom('product_orders')
    .select(['listed', 'details', 'merchant_name as merchantName'])
    .select(['first_seen_at as firstSeenAt', 'changed_at as changedAt', 'gone_at as goneAt'])
    .where('organisation', '=', organisationKey(organisation))

const is = (column: string, value: string) => (value === '' ? sql`true` : sql`${sql.ref(column)} = ${value}`)

/** A page of product orders: what can still be done something about first, and of those what moved last. */
export const findProductOrders = async (
  db: Handle,
  organisation: Organisation,
  filter: ProductOrderFilter,
): Promise<Page<StoredProductOrder>> => {
  const { q, status, type, product, expired, page: number } = filter
  const order = sql`rank, changed_at desc, key`
  const page = await findKeys(db, {
    table: 'product_orders',
    where: sql`organisation = ${organisationKey(organisation)} and gone_at is null
      and ${is('status', status)} and ${is('product_order_type', type)} and ${is('product_type', product)}
      and ${expired ? sql`true` : sql`rank < 7`}`,
    order,
    columns: sql`rank, changed_at`,
    q,
    page: number,
  })
  if (page.rows.length === 0) return { ...page, rows: [] }
  const rows = await selectProductOrders(db, organisation)
    .where('key', 'in', page.rows)
    .orderBy(order)
    .execute()
  return { ...page, rows: rows as StoredProductOrder[] }
}

/** One product order, also one that is gone; undefined when the organisation never had it. */
export const findProductOrder = async (
  db: Handle,
  organisation: Organisation,
  productOrderId: string,
): Promise<StoredProductOrder | undefined> => {
  const row = await selectProductOrders(db, organisation).where('key', '=', productOrderId).executeTakeFirst()
  return row as StoredProductOrder | undefined
}
