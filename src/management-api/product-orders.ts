import { z } from 'zod'
import { segment, type CallOptions, type ListOptions, type ManagementApiClient } from './client.ts'
import { businessIdentifier, id, link, maybe, msn, type Rows, text } from './parse.ts'

/** A product order, as the API sends it. */
export const productOrder = z.looseObject({
  /** UUID in lower case; absent for an order that the API only shows in the list. */
  productOrderId: maybe(id.transform(lowerUuid)),
  /** `PREFILL`, `TEMPLATE`, `MANUAL`, or a newer value. */
  productOrderType: maybe(text),
  /** `PAYMENT_INTEGRATION`, `CASHIER`, `CHECKOUT`, `LOGIN`, `DONATIONS`, or a newer value. */
  productType: maybe(text),
  /** `RECEIVED`, `MERCHANT_VIEWED`, `ORDER_SUBMITTED`, `EXPIRED`, `COMPLETED`, `REJECTED`, or a newer value. */
  status: id,
  businessIdentifier,
  /** Prefilled orders only; http(s), expires 14 days after creation. */
  productOrderUrl: link,
  /** The sales unit that a COMPLETED order created. */
  salesUnit: maybe(z.object({ msn, name: text })),
})
/** A parsed product order. */
export type ProductOrder = z.output<typeof productOrder>

/**
 * Every product order that names the organisation as partner, prefilled, from a template or manual. Expired ones are
 * included with `includeExpired`.
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
 * @throws UpstreamUnavailableError, UpstreamRefusedError; NotFoundError for an impossible id
 */
export async function getProductOrder(
  client: ManagementApiClient,
  productOrderId: string,
  options: CallOptions = {},
): Promise<ProductOrder> {
  const path = `/management/v2/product-orders/${segment(lowerUuid(productOrderId))}/details`
  return client.one(productOrder, { purpose: 'productOrder', path }, options)
}

/** A UUID in lower case; the API accepts either case for the same order. Other values are unchanged. */
export function lowerUuid(value: string): string {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value) ? value.toLowerCase() : value
}
