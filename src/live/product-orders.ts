import { NotSharedError, UpstreamNotFoundError } from '../errors.ts'
import type { Rows } from '../management-api/parse.ts'
import { getProductOrder, listProductOrders, type ProductOrder } from '../management-api/product-orders.ts'
import type { Organisation } from '../organisation.ts'
import { type Page, paginate } from '../paging.ts'
import { containing } from './matching.ts'
import type { Merchants } from './merchants.ts'
import { createShelf } from './shelf.ts'
import type { Source } from './source.ts'

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

export type ProductOrderRow = ProductOrder & { readonly merchantName: string | undefined }

/** How many orders have each value, in the order in which they are offered. */
export type Facet = readonly { readonly value: string; readonly count: number }[]

export type ProductOrderList = {
  readonly page: Page<ProductOrderRow>
  readonly total: number
  /** Over all orders, whatever the filter. */
  readonly facets: { readonly status: Facet; readonly type: Facet; readonly product: Facet }
  readonly skipped: number
  readonly readAt: number
}

export type ProductOrders = {
  readonly find: (organisation: Organisation, filter: ProductOrderFilter) => Promise<ProductOrderList>
  /** @throws NotSharedError when it does not exist or does not name the organisation as partner */
  readonly get: (
    organisation: Organisation,
    productOrderId: string,
  ) => Promise<{ readonly order: ProductOrderRow; readonly readAt: number }>
  /** How many there are but for the expired, if a list has been read. */
  readonly knownCount: (organisation: Organisation) => number | undefined
}

/** What somebody can still do something about stands first; statuses that the API adds stand last. */
const statusOrder = ['ORDER_SUBMITTED', 'MERCHANT_VIEWED', 'RECEIVED', 'COMPLETED', 'REJECTED', 'EXPIRED']
const rank = (status: string): number => (statusOrder.indexOf(status) + 1 || statusOrder.length + 1) - 1

const facetOf = (
  values: readonly (string | undefined)[],
  compare: (a: string, b: string) => number,
): Facet => {
  const counts = new Map<string, number>()
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].map(([value, count]) => ({ value, count })).toSorted((a, b) => compare(a.value, b.value))
}
const alphabetically = (a: string, b: string): number => (a < b ? -1 : 1)
const byStatus = (a: string, b: string): number => rank(a) - rank(b) || alphabetically(a, b)

export const createProductOrders = (
  { clientOf, ...options }: Source,
  merchants: Merchants,
): ProductOrders => {
  const lists = createShelf<Rows<ProductOrder>>(
    async (organisation, key, priority) => {
      const answer = await listProductOrders(clientOf(organisation), {
        includeExpired: key === 'all',
        priority,
      })
      return { ...answer, rows: answer.rows.toSorted((a, b) => byStatus(a.status, b.status)) }
    },
    { ...options, purpose: 'productOrders', maxAgeMs: 60_000 },
  )
  const orders = createShelf<ProductOrder>(
    async (organisation, id, priority) => getProductOrder(clientOf(organisation), id, { priority }),
    { ...options, purpose: 'productOrder', maxAgeMs: 60_000 },
  )
  const withMerchant = (organisation: Organisation, order: ProductOrder): ProductOrderRow => ({
    ...order,
    merchantName: merchants.peek(organisation, order.businessIdentifier)?.name,
  })

  return {
    find: async (organisation, filter) => {
      const { value, readAt } = await lists.read(organisation, filter.expired ? 'all' : 'current')
      const matches = containing(filter.q)
      const is = (wanted: string, value_: string | undefined) => wanted === '' || wanted === value_
      const matching = value.rows
        .map((order) => withMerchant(organisation, order))
        .filter(
          (order) =>
            is(filter.status, order.status) &&
            is(filter.type, order.productOrderType) &&
            is(filter.product, order.productType) &&
            matches([
              order.businessIdentifier.id,
              `${order.businessIdentifier.scheme}:${order.businessIdentifier.id}`,
              order.merchantName,
              order.productOrderId,
              order.salesUnit?.msn,
              order.salesUnit?.name,
            ]),
        )
      return {
        page: paginate(matching, filter.page),
        total: value.rows.length,
        facets: {
          status: facetOf(
            value.rows.map(({ status }) => status),
            byStatus,
          ),
          type: facetOf(
            value.rows.map(({ productOrderType }) => productOrderType),
            alphabetically,
          ),
          product: facetOf(
            value.rows.map(({ productType }) => productType),
            alphabetically,
          ),
        },
        skipped: value.skipped,
        readAt,
      }
    },
    get: async (organisation, productOrderId) => {
      try {
        const { value, readAt } = await orders.read(organisation, productOrderId)
        return { order: withMerchant(organisation, value), readAt }
      } catch (error) {
        if (error instanceof UpstreamNotFoundError) {
          throw new NotSharedError('productOrderNotShared', productOrderId, { cause: error })
        }
        throw error
      }
    },
    knownCount: (organisation) =>
      (lists.peek(organisation, 'current') ?? lists.peek(organisation, 'all'))?.value.rows.filter(
        ({ status }) => status !== 'EXPIRED',
      ).length,
  }
}
