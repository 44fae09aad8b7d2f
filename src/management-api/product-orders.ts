import { z } from 'zod'
import type { CallOptions, ListOptions, ManagementApiClient } from './client.ts'
import { businessIdentifier, id, link, maybe, msn, type Rows, text } from './parse.ts'
import { segment } from './path.ts'

export const productOrder = z.looseObject({
  /** UUID, in lower case; absent for an order that the API shows in the list only. */
  productOrderId: maybe(id.transform(lowerUuid)),
  /** `PREFILL`, `TEMPLATE`, `MANUAL`, or one that is newer than this. */
  productOrderType: maybe(text),
  /** `PAYMENT_INTEGRATION`, `CASHIER`, `CHECKOUT`, `LOGIN`, `DONATIONS`, or one that is newer than this. */
  productType: maybe(text),
  /**
   * `RECEIVED`, `MERCHANT_VIEWED`, `ORDER_SUBMITTED`, `EXPIRED`, `COMPLETED`, `REJECTED`, or one that is newer
   * than this.
   */
  status: id,
  businessIdentifier,
  /** Prefilled orders only; http(s), dead 14 days after it was made. */
  productOrderUrl: link,
  /** What the order became, once it is COMPLETED. */
  salesUnit: maybe(z.object({ msn, name: text })),
})
export type ProductOrder = z.output<typeof productOrder>

/**
 * Every product order that names the organisation as partner, prefilled, from a template or manual; expired ones
 * only with `includeExpired`.
 * @throws UpstreamUnavailableError, UpstreamRefusedError, UpstreamNotFoundError
 */
export function listProductOrders(
  client: ManagementApiClient,
  { includeExpired = false, ...options }: ListOptions & { readonly includeExpired?: boolean } = {},
): Promise<Rows<ProductOrder>> {
  const path = `/management/v2/product-orders${includeExpired ? '?includeExpired=true' : ''}`
  return client.list(productOrder, { purpose: 'productOrders', path, idMember: 'productOrderId' }, options)
}

/**
 * One product order.
 * @throws UpstreamNotFoundError when there is none, or when it does not name the organisation as partner
 * @throws UpstreamUnavailableError, UpstreamRefusedError; NotFoundError when no id can look like that
 */
export async function getProductOrder(
  client: ManagementApiClient,
  productOrderId: string,
  options: CallOptions = {},
): Promise<ProductOrder> {
  const path = `/management/v2/product-orders/${segment(lowerUuid(productOrderId))}/details`
  return client.one(productOrder, { purpose: 'productOrder', path }, options)
}

/** The API takes a UUID in either case: both are one order. */
export function lowerUuid(value: string): string {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value) ? value.toLowerCase() : value
}
