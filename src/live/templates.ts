import { UpstreamNotFoundError } from '../errors.ts'
import type { Rows } from '../management-api/parse.ts'
import {
  listProductOrderTemplates,
  type ProductOrderTemplate,
} from '../management-api/product-order-templates.ts'
import type { Organisation } from '../organisation.ts'
import { byName } from './matching.ts'
import { createShelf } from './shelf.ts'
import type { Source } from './source.ts'

export type Templates = {
  /** The partner's product order templates by name; undefined where the API has no such list (it answers 404). */
  readonly find: (
    organisation: Organisation,
  ) => Promise<(Rows<ProductOrderTemplate> & { readonly readAt: number }) | undefined>
}

export const createTemplates = ({ clientOf, ...options }: Source): Templates => {
  const lists = createShelf<Rows<ProductOrderTemplate> | undefined>(
    async (organisation, _key, priority) => {
      try {
        const { rows, skipped } = await listProductOrderTemplates(clientOf(organisation), { priority })
        return { rows: rows.toSorted((a, b) => byName(a.name, b.name)), skipped }
      } catch (error) {
        if (error instanceof UpstreamNotFoundError) return undefined
        throw error
      }
    },
    { ...options, purpose: 'productOrderTemplates', maxAgeMs: 60_000 },
  )
  return {
    find: async (organisation) => {
      const { value, readAt } = await lists.read(organisation, '')
      return value && { ...value, readAt }
    },
  }
}
