import { z } from 'zod'
import { segment, type CallOptions, type ListOptions, type ManagementApiClient } from './client.ts'
import { businessIdentifier, code, id, link, lowerUuid, maybe, member, msn, type Rows, words } from './parse.ts'

/** A product order, as the API sends it. */
export const productOrder = z
  .looseObject({
    /** UUID in lower case; absent for an order that the API only shows in the list. */
    productOrderId: maybe(id),
    /** `PREFILL`, `TEMPLATE`, `MANUAL`, or a newer value. */
    productOrderType: maybe(code),
    /** `PAYMENT_INTEGRATION`, `CASHIER`, `CHECKOUT`, `LOGIN`, `DONATIONS`, or a newer value. */
    productType: maybe(code),
    /** `RECEIVED`, `MERCHANT_VIEWED`, `ORDER_SUBMITTED`, `EXPIRED`, `COMPLETED`, `REJECTED`, or a newer value. */
    status: member(code),
    businessIdentifier: member(businessIdentifier),
    /** Prefilled orders only; http(s), expires 14 days after creation. */
    productOrderUrl: link,
    /** The sales unit that a COMPLETED order created; before, the API sends null, {}, or members of null or ''. */
    salesUnit: maybe(
      z
        .object({ msn: maybe(z.union([z.literal('').transform(() => undefined), msn])), name: maybe(words) })
        .transform((unit) => (unit.msn === undefined && unit.name === undefined ? undefined : unit)),
    ),
  })
  // One of the two is the key; without both, the order is any of the merchant's.
  .refine((order) => order.productOrderId !== undefined || order.businessIdentifier !== undefined)
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
