import { z } from 'zod'
import { unreadMember } from '../domain/unread-members.ts'
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
 * The price package that a sales unit or a product order names, wherever it stands in the record; undefined if none. The
 * API has no such member yet: `pricePackageId`, or `pricePackage` as text or as an object with one of the two IDs.
 */
export function pricePackageIdIn(record: unknown): string | undefined {
  if (typeof record !== 'object' || record === null) return undefined
  const members = Object.entries(record).filter(([name]) => name !== unreadMember)
  const named = members.flatMap(([name, value]) => (memberNames.test(name) ? (idIn(value) ?? []) : []))
  return named[0] ?? members.map(([, value]) => pricePackageIdIn(value)).find((found) => found !== undefined)
}

const memberNames = /^(price_?package|pricing_?package)(_?id)?$/i

function idIn(value: unknown): string | undefined {
  const direct = id.safeParse(value)
  if (direct.success) return direct.data
  if (typeof value !== 'object' || value === null) return undefined
  return pricePackageIdIn(value) ?? id.safeParse(Reflect.get(value, 'id')).data
}

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
