import { z } from 'zod'
import type { ListOptions, ManagementApiClient } from './client.ts'
import { id, maybe, type Rows, text } from './parse.ts'

/** A price that a partner may give its merchants. Prices are the API's own words, never numbers to count with. */
export const pricePackage = z.looseObject({
  pricePackageId: id,
  name: text,
  /** The price, such as `2.99%`. */
  description: text,
  visibleInSignupForm: maybe(z.boolean()),
  /** A product type as of product orders, or one that is newer than this. */
  productType: maybe(text),
  /** `DK`, `NO`, `FI`, or one that is newer than this. */
  market: maybe(text),
  /** The partner's share, such as `30 %`. */
  commission: maybe(text),
})
export type PricePackage = z.output<typeof pricePackage>

/**
 * Every price package of the partner. The API has this for partners only.
 * @throws UpstreamUnavailableError, UpstreamRefusedError, UpstreamNotFoundError
 */
export function listPricePackages(client: ManagementApiClient, options: ListOptions = {}): Promise<Rows<PricePackage>> {
  return client.list(
    pricePackage,
    { purpose: 'pricePackages', path: '/management/v1/partners/price-packages', idMember: 'pricePackageId' },
    options,
  )
}
