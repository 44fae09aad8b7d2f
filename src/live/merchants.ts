import { NotSharedError, UpstreamNotFoundError } from '../errors.ts'
import {
  getMerchant,
  listMerchantSalesUnits,
  type BusinessIdentifier,
  type Merchant,
} from '../management-api/merchants.ts'
import type { Rows } from '../management-api/parse.ts'
import type { SalesUnitListItem } from '../management-api/sales-units.ts'
import type { Organisation } from '../organisation.ts'
import { createShelf, type Priority } from './shelf.ts'
import type { Source } from './source.ts'

export type Merchants = {
  /** @throws NotSharedError when it has no active sales unit with the organisation, or does not exist */
  readonly get: (
    organisation: Organisation,
    identifier: BusinessIdentifier,
  ) => Promise<{ readonly merchant: Merchant; readonly readAt: number }>
  /** The merchant's sales units that the organisation may see, by MSN and name. */
  readonly salesUnits: (
    organisation: Organisation,
    identifier: BusinessIdentifier,
  ) => Promise<Rows<SalesUnitListItem>>
  /** Whether it has been read, or found not to be shared. */
  readonly known: (organisation: Organisation, identifier: BusinessIdentifier) => boolean
  /** The merchant if it has been read. */
  readonly peek: (organisation: Organisation, identifier: BusinessIdentifier) => Merchant | undefined
  /** Makes sure the merchant has been read, or found not to be shared. */
  readonly read: (
    organisation: Organisation,
    identifier: BusinessIdentifier,
    priority: Priority,
  ) => Promise<void>
  /** Reads these ahead, as far as they are missing or too old. Never rejects. */
  readonly readAhead: (
    organisation: Organisation,
    identifiers: readonly BusinessIdentifier[],
  ) => Promise<void>
}

const minute = 60_000
const keyOf = ({ scheme, id }: BusinessIdentifier): string => `${scheme}/${id}`
const identifierOf = (key: string): BusinessIdentifier => {
  const [scheme = '', id = ''] = key.split('/')
  return { scheme, id }
}

export const createMerchants = ({ clientOf, ...options }: Source): Merchants => {
  /** Undefined is an answer: the merchant is not shared. */
  const merchants = createShelf<Merchant | undefined>(
    async (organisation, key, priority) => {
      try {
        return await getMerchant(clientOf(organisation), identifierOf(key), { priority })
      } catch (error) {
        if (error instanceof UpstreamNotFoundError) return undefined
        throw error
      }
    },
    { ...options, purpose: 'merchant', maxAgeMs: 60 * minute },
  )
  const salesUnits = createShelf<Rows<SalesUnitListItem>>(
    async (organisation, key, priority) =>
      listMerchantSalesUnits(clientOf(organisation), identifierOf(key), { priority }),
    { ...options, purpose: 'merchantSalesUnits', maxAgeMs: minute },
  )
  return {
    get: async (organisation, identifier) => {
      const { value, readAt } = await merchants.read(organisation, keyOf(identifier), { maxAgeMs: minute })
      if (!value) throw new NotSharedError('merchantNotShared', `${identifier.scheme}:${identifier.id}`)
      return { merchant: value, readAt }
    },
    salesUnits: async (organisation, identifier) =>
      (await salesUnits.read(organisation, keyOf(identifier))).value,
    known: (organisation, identifier) => merchants.peek(organisation, keyOf(identifier)) !== undefined,
    peek: (organisation, identifier) => merchants.peek(organisation, keyOf(identifier))?.value,
    read: async (organisation, identifier, priority) => {
      await merchants.read(organisation, keyOf(identifier), { priority })
    },
    readAhead: async (organisation, identifiers) =>
      merchants.readAhead(organisation, [...new Set(identifiers.map(keyOf))]),
  }
}
