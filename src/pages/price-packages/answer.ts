import { countryOf } from '../../domain/business-identifier.ts'
import type { PricePackage } from '../../management-api/price-packages.ts'

/**
 * Which price package a sales unit or an order has, and how the portal knows: from the API, from the operator's file, or
 * narrowed down to those that fit its market and product.
 */
export type PricePackageAnswer =
  | {
      readonly source: 'api' | 'file'
      readonly id: string
      readonly since: Date
      /** Undefined when the partner's list no longer has it. */
      readonly pricePackage: PricePackage | undefined
    }
  | { readonly source: 'narrowed'; readonly candidates: readonly PricePackage[] }

/** What is stored of a sales unit or an order. */
export type Priced = {
  readonly pricePackageId: string | null
  readonly pricePackageSource: 'api' | 'file' | null
  readonly pricePackageSince: Date | null
  /** A business identifier scheme such as business:NO:ORG; its country is the market. */
  readonly scheme: string | undefined
  /** Undefined when unknown: every product fits. */
  readonly product: string | undefined
}

/** Answers for a sales unit or an order. @param packages all price packages of the partner */
export function pricePackageAnswer(packages: readonly PricePackage[], priced: Priced): PricePackageAnswer {
  const { pricePackageId: id, pricePackageSource: source, pricePackageSince: since, scheme, product } = priced
  if (id !== null && source !== null && since !== null)
    return { source, id, since, pricePackage: packages.find(({ pricePackageId }) => pricePackageId === id) }
  const market = scheme === undefined ? undefined : countryOf(scheme)
  const fits = (value: string | undefined, known: string | undefined): boolean =>
    value === undefined || known === undefined || value === known
  const candidates = packages.filter((row) => fits(row.market, market) && fits(row.productType, product))
  return { source: 'narrowed', candidates: candidates.toSorted((one, other) => compare(one.name, other.name)) }
}

function compare(one = '', other = ''): number {
  return one.localeCompare(other)
}
