import { z } from 'zod'
import type { CallOptions, ManagementApiClient } from './client.ts'
import { type BusinessIdentifier, businessIdentifier, maybe, text } from './parse.ts'
import { segment } from './path.ts'

export type { BusinessIdentifier }

const address = maybe(
  z.object({
    lines: maybe(z.array(text)).transform((lines) => lines ?? []),
    postCode: maybe(text),
    city: maybe(text),
    countryCode: maybe(text),
  }),
)

export const merchant = z.looseObject({
  businessIdentifier,
  name: text,
  /** `ACTIVE`, `DEACTIVATED`, or one that is newer than this. */
  status: maybe(text),
  /** RFC 3339 date-time, as it came. */
  createdAt: maybe(text),
  /** RFC 3339 date-time, as it came. */
  updatedAt: maybe(text),
  /** ISO 3166-1 alpha-2. */
  countryCode: maybe(text),
  businessAddress: address,
  businessPostAddress: address,
})
export type Merchant = z.output<typeof merchant>

/**
 * A merchant by business identifier.
 * @throws UpstreamNotFoundError when there is none; for a partner also when it has no active sales unit with it
 * @throws UpstreamUnavailableError, UpstreamRefusedError; NotFoundError when no identifier can look like that
 */
export async function getMerchant(
  client: ManagementApiClient,
  identifier: BusinessIdentifier,
  options: CallOptions = {},
): Promise<Merchant> {
  return client.one(merchant, { purpose: 'merchant', path: pathOf(identifier) }, options)
}

function pathOf({ scheme, id }: BusinessIdentifier): string {
  return `/management/v1/merchants/${segment(scheme)}/${segment(id)}`
}
