import { finalStatuses, otherStatuses } from '../../domain/product-order.ts'
import { BadRequestError } from '../../errors.ts'
import type { ProductOrderFacets, StatusFacet } from '../../store/summaries.ts'
import type { Freshness, Lists } from '../../sync/freshness.ts'

/** The values of the API's specification, and all other statuses; values that only orders have are added to them. */
const known = {
  status: ['ORDER_SUBMITTED', 'MERCHANT_VIEWED', 'RECEIVED', ...finalStatuses, otherStatuses],
  type: ['PREFILL', 'TEMPLATE', 'MANUAL'],
  product: ['PAYMENT_INTEGRATION', 'CASHIER', 'CHECKOUT', 'LOGIN', 'DONATIONS'],
} as const
export type Choice = keyof typeof known
const choices: readonly Choice[] = ['status', 'type', 'product']

const none: ProductOrderFacets = { status: [], type: [], product: [], months: [] }

/** The number of orders by status, type and product, counted when the list was read. */
export function facetsOf(fresh: Freshness | undefined): ProductOrderFacets {
  return {
    ...none,
    ...(fresh?.facets as ProductOrderFacets | null | undefined),
  }
}

/** The number of all orders, if the list has been read. */
export function orderCount(lists: Lists): number | undefined {
  const fresh = lists.get('productOrders')
  return fresh?.facets ? sumOf(facetsOf(fresh).status) : undefined
}

/** The number of orders of these rows. */
export function sumOf(counts: StatusFacet): number {
  return counts.reduce((sum, { count }) => sum + count, 0)
}

/** The options of a filter: the API's documented values, and those that orders have. */
export function optionsOf(facets: ProductOrderFacets, choice: Choice): string[] {
  return [...new Set([...known[choice], ...facets[choice].map(({ value }) => value)])]
}

/** @throws BadRequestError for a filter value that no order can have */
export function checkChoices(filter: Readonly<Record<Choice, string>>, facets: ProductOrderFacets): void {
  const unknown = choices.find((choice) => filter[choice] !== '' && !optionsOf(facets, choice).includes(filter[choice]))
  if (unknown) throw new BadRequestError(`unknown ${unknown}`)
}
