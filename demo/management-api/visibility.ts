import { type OrganisationReference, organisationKey } from '../../src/domain/organisation.ts'
import type { BusinessIdentifier, DemoMerchant, DemoOrganisation, DemoSalesUnit, DemoWorld } from '../world/types.ts'
import { createRowIndex } from './row-index.ts'

const merchantsByKey = createRowIndex<DemoMerchant>(({ body }) => merchantKey(body.businessIdentifier))
const salesUnitsByMsn = createRowIndex<DemoSalesUnit>(({ body }) => body.msn)
const salesUnitsByMerchant = createRowIndex<DemoSalesUnit>(({ body }) => merchantKey(body.businessIdentifier))

type Owners = { readonly merchants: number; readonly of: Map<DemoSalesUnit, DemoMerchant> }

/** The merchant of each sales unit, cached because a list needs all of them. */
const owners = new WeakMap<DemoWorld, Owners>()

/** The active sales units that the caller may see: a partner's connected ones, a merchant's own. */
export function visibleSalesUnits(world: DemoWorld, caller: OrganisationReference): DemoSalesUnit[] {
  const known = ownersOf(world)
  return world.salesUnits.filter((row) => isShown(world, caller, row, known))
}

function ownersOf(world: DemoWorld): Owners['of'] {
  const known = owners.get(world)
  // The cache is dropped when merchants or sales units were removed.
  if (known?.merchants === world.merchants.length && known.of.size <= world.salesUnits.length) return known.of
  const of: Owners['of'] = new Map()
  owners.set(world, { merchants: world.merchants.length, of })
  return of
}

function isShown(world: DemoWorld, caller: OrganisationReference, row: DemoSalesUnit, known: Owners['of']): boolean {
  const { scheme, id } = row.body.businessIdentifier
  const isMine = caller.kind === 'partner' ? row.partnerId === caller.id : scheme === caller.scheme && id === caller.id
  if (!isMine || !row.active) return false
  let owner = known.get(row)
  const identifier = owner?.body.businessIdentifier
  if (identifier?.id !== id || identifier.scheme !== scheme) {
    owner = merchantsByKey(world.merchants, merchantKey({ scheme, id }))[0]
    if (owner) known.set(row, owner)
  }
  return owner?.body.status === 'ACTIVE'
}

function merchantKey({ scheme, id }: BusinessIdentifier): string {
  return organisationKey({ kind: 'merchant', scheme, id })
}

/** One visible sales unit; undefined also when it exists but is not visible, so that callers cannot tell. */
export function visibleSalesUnit(
  world: DemoWorld,
  caller: OrganisationReference,
  msn: string,
): DemoSalesUnit | undefined {
  const [row] = salesUnitsByMsn(world.salesUnits, msn)
  return row && isShown(world, caller, row, ownersOf(world)) ? row : undefined
}

/**
 * A merchant with its sales units that the caller may see. Undefined when it is not active, is another merchant than
 * the calling one, or has no active sales unit with the calling partner.
 */
export function visibleMerchant(
  world: DemoWorld,
  caller: OrganisationReference,
  identifier: BusinessIdentifier,
): { merchant: DemoMerchant; salesUnits: DemoSalesUnit[] } | undefined {
  const key = merchantKey(identifier)
  const [merchant] = merchantsByKey(world.merchants, key)
  const known = ownersOf(world)
  const salesUnits = salesUnitsByMerchant(world.salesUnits, key).filter((row) => isShown(world, caller, row, known))
  const shown = caller.kind === 'partner' ? salesUnits.length > 0 : key === organisationKey(caller)
  return merchant?.body.status === 'ACTIVE' && shown ? { merchant, salesUnits } : undefined
}

/** Whether a caller may send this MSN in Merchant-Serial-Number. Sales unit credentials: only their own. */
export function canUseMsn(world: DemoWorld, { organisation, keys }: DemoOrganisation, msn: string): boolean {
  return keys.type === 'sales-unit'
    ? keys.merchantSerialNumber === msn
    : visibleSalesUnit(world, organisation, msn) !== undefined
}
