import type { Rows } from '../management-api/parse.ts'
import { listPricePackages, type PricePackage } from '../management-api/price-packages.ts'
import type { Organisation } from '../organisation.ts'
import { byName } from './matching.ts'
import { createShelf } from './shelf.ts'
import type { Source } from './source.ts'

export type PricePackages = {
  /** All of the partner's, by market and name. */
  readonly find: (organisation: Organisation) => Promise<Rows<PricePackage> & { readonly readAt: number }>
}

export const createPricePackages = ({ clientOf, ...options }: Source): PricePackages => {
  const lists = createShelf<Rows<PricePackage>>(
    async (organisation, _key, priority) => {
      const { rows, skipped } = await listPricePackages(clientOf(organisation), { priority })
      const sorted = rows.toSorted((a, b) => byName(a.market ?? '', b.market ?? '') || byName(a.name, b.name))
      return { rows: sorted, skipped }
    },
    { ...options, purpose: 'pricePackages', maxAgeMs: 60_000 },
  )
  return {
    find: async (organisation) => {
      const { value, readAt } = await lists.read(organisation, '')
      return { ...value, readAt }
    },
  }
}
