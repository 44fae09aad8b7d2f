import { type OrganisationReference, organisationKey } from '../../organisation.ts'
import type {
  BusinessIdentifier,
  DemoMerchant,
  DemoOrganisation,
  DemoSalesUnit,
  DemoWorld,
} from '../world/types.ts'

const merchantKey = (identifier: BusinessIdentifier): string =>
  organisationKey({ kind: 'merchant', ...identifier })

type Index = {
  merchants: Map<string, DemoMerchant>
  salesUnits: Map<string, DemoSalesUnit>
  ofMerchant: Map<string, DemoSalesUnit[]>
  rows: string
}

const indexes = new WeakMap<DemoWorld, Index>()

/** Found by key, because a sync of a large partner asks for every sales unit; rebuilt when rows come or go. */
const indexOf = (world: DemoWorld): Index => {
  const rows = `${world.merchants.length} ${world.salesUnits.length}`
  const known = indexes.get(world)
  if (known?.rows === rows) return known
  const index = {
    merchants: new Map(world.merchants.map((row) => [merchantKey(row.body.businessIdentifier), row])),
    salesUnits: new Map(world.salesUnits.map((row) => [row.body.msn, row])),
    ofMerchant: Map.groupBy(world.salesUnits, (row) => merchantKey(row.body.businessIdentifier)),
    rows,
  }
  indexes.set(world, index)
  return index
}

const isShown = (
  world: DemoWorld,
  caller: OrganisationReference,
  { active, partnerId, body }: DemoSalesUnit,
): boolean => {
  const owner = merchantKey(body.businessIdentifier)
  const mine = caller.kind === 'partner' ? partnerId === caller.id : owner === organisationKey(caller)
  return mine && active && indexOf(world).merchants.get(owner)?.body.status === 'ACTIVE'
}

/** The active sales units that the caller may see: a partner's own connections, a merchant's own. */
export const visibleSalesUnits = (world: DemoWorld, caller: OrganisationReference): DemoSalesUnit[] =>
  world.salesUnits.filter((row) => isShown(world, caller, row))

/** One of them; undefined also when it exists but is not for the caller, so that nobody can tell. */
export const visibleSalesUnit = (
  world: DemoWorld,
  caller: OrganisationReference,
  msn: string,
): DemoSalesUnit | undefined => {
  const row = indexOf(world).salesUnits.get(msn)
  return row && isShown(world, caller, row) ? row : undefined
}

/**
 * A merchant, with those of its sales units that the caller may see. Undefined when it is not active, is another
 * merchant than the calling one, or has no active sales unit with the calling partner.
 */
export const visibleMerchant = (
  world: DemoWorld,
  caller: OrganisationReference,
  identifier: BusinessIdentifier,
): { merchant: DemoMerchant; salesUnits: DemoSalesUnit[] } | undefined => {
  const index = indexOf(world)
  const key = merchantKey(identifier)
  const merchant = index.merchants.get(key)
  const salesUnits = (index.ofMerchant.get(key) ?? []).filter((row) => isShown(world, caller, row))
  const shown = caller.kind === 'partner' ? salesUnits.length > 0 : key === organisationKey(caller)
  return merchant?.body.status === 'ACTIVE' && shown ? { merchant, salesUnits } : undefined
}

/** Whether a caller may name this MSN in Merchant-Serial-Number. Sales unit keys: only their own. */
export const canUseMsn = (
  world: DemoWorld,
  { organisation, keys }: DemoOrganisation,
  msn: string,
): boolean =>
  keys.type === 'sales-unit'
    ? keys.merchantSerialNumber === msn
    : visibleSalesUnit(world, organisation, msn) !== undefined
