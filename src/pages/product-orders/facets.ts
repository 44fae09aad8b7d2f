import { finalStatuses } from '../../domain/product-order.ts'
import { BadRequestError } from '../../errors.ts'
import type { ProductOrderFacets } from '../../store/summaries.ts'
import type { Freshness, Lists } from '../../sync/freshness.ts'

/** The values of the API's specification; those that the orders themselves have are offered as well. */
const known = {
  status: ['ORDER_SUBMITTED', 'MERCHANT_VIEWED', 'RECEIVED', ...finalStatuses],
  type: ['PREFILL', 'TEMPLATE', 'MANUAL'],
  product: ['PAYMENT_INTEGRATION', 'CASHIER', 'CHECKOUT', 'LOGIN', 'DONATIONS'],
} as const
export type Choice = keyof typeof known
const choices: readonly Choice[] = ['status', 'type', 'product']

const none: ProductOrderFacets = { status: [], type: [], product: [], months: [] }

/** How many orders have which status, type and product, as counted when they were read. */
export function facetsOf(fresh: Freshness | undefined): ProductOrderFacets {
  return {
    ...none,
    ...(fresh?.facets as ProductOrderFacets | null | undefined),
  }
}

/** How many orders there are but for the expired ones, if the list has been read. */
export function currentOrderCount(lists: Lists): number | undefined {
  const fresh = lists.get('productOrders')
  if (!fresh?.facets) return undefined
  return facetsOf(fresh)
    .status.filter(({ value }) => value !== 'EXPIRED')
    .reduce((sum, { count }) => sum + count, 0)
}

/** What the list can be filtered by: all that the API documents, and what the orders themselves have. */
export function optionsOf(facets: ProductOrderFacets, choice: Choice): string[] {
  return [...new Set([...known[choice], ...facets[choice].map(({ value }) => value)])]
}

/** @throws BadRequestError when the filter asks for what there is not */
export function checkChoices(filter: Readonly<Record<Choice, string>>, facets: ProductOrderFacets): void {
  const unknown = choices.find((choice) => filter[choice] !== '' && !optionsOf(facets, choice).includes(filter[choice]))
  if (unknown) throw new BadRequestError(`unknown ${unknown}`)
}
