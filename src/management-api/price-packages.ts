import { z } from 'zod'
import type { ListOptions, ManagementApiClient } from './client.ts'
import { code, flag, id, maybe, member, type Rows, words } from './parse.ts'

/** A price that a partner may offer its merchants. Prices are the API's text, never numbers to calculate with. */
export const pricePackage = z.looseObject({
  pricePackageId: id,
  name: member(words),
  /** The price, such as `2.99%`. */
  description: member(words),
  visibleInSignupForm: maybe(flag),
  /** A product type as in product orders, or a newer value. */
  productType: maybe(code),
  /** `DK`, `NO`, `FI`, or a newer value. */
  market: maybe(code),
  /** The partner's share, such as `30 %`. */
  commission: maybe(words),
})
/** A parsed price package. */
export type PricePackage = z.output<typeof pricePackage>

/**
 * Every price package of the partner; the API has these for partners only.
 * @throws UpstreamUnavailableError, UpstreamRefusedError, UpstreamNotFoundError
 */
export function listPricePackages(client: ManagementApiClient, options: ListOptions = {}): Promise<Rows<PricePackage>> {
  return client.list(
    pricePackage,
    { purpose: 'pricePackages', path: '/management/v1/partners/price-packages', idMember: 'pricePackageId' },
    options,
  )
}
