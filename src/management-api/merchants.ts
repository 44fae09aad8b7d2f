import { z } from 'zod'
import { segment, type CallOptions, type ManagementApiClient } from './client.ts'
import { type BusinessIdentifier, businessIdentifier, code, date, maybe, member, text, words } from './parse.ts'

export type { BusinessIdentifier }

const address = maybe(
  z.object({
    lines: maybe(z.array(text)).transform((lines) => lines ?? []),
    postCode: maybe(words),
    city: maybe(words),
    countryCode: maybe(code),
  }),
)

/** A merchant, as the API sends it. */
export const merchant = z.looseObject({
  businessIdentifier,
  name: member(words),
  /** `ACTIVE`, `DEACTIVATED`, or a newer value. */
  status: maybe(code),
  /** RFC 3339 date-time, unchanged. */
  createdAt: maybe(date),
  /** RFC 3339 date-time, unchanged. */
  updatedAt: maybe(date),
  /** ISO 3166-1 alpha-2. */
  countryCode: maybe(code),
  businessAddress: address,
  businessPostAddress: address,
})
/** A parsed merchant. */
export type Merchant = z.output<typeof merchant>

/**
 * A merchant by business identifier.
 * @throws UpstreamNotFoundError when there is none; for a partner also when it has no active sales unit with the
 * merchant
 * @throws UpstreamUnavailableError, UpstreamRefusedError; NotFoundError for an impossible identifier
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
