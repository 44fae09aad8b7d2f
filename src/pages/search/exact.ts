import { asStoredIdentifier } from '../../domain/business-identifier.ts'
import { businessIdPattern, msnPattern, type Organisation } from '../../domain/organisation.ts'
import type { Handle } from '../../store/database.ts'
import { merchantsWithId } from '../../store/merchants.ts'
import { findSalesUnit } from '../../store/sales-units.ts'
import type { Group } from './groups.ts'

/**
 * The page of the only record whose id is exactly `q`; undefined when there is none, or more than one.
 * @returns a path below the organisation's section
 */
export async function exactPath(
  db: Handle,
  organisation: Organisation,
  q: string,
  groups: readonly Group[],
): Promise<string | undefined> {
  const wanted = q.toLowerCase()
  const byId = groups
    .filter(({ key }) => key !== 'salesUnits' && key !== 'merchants')
    .flatMap(({ rows }) => rows)
    .filter(({ id }) => id.toLowerCase() === wanted)
    .map(({ path }) => path)
  const paths = [...(await byNumber(db, organisation, q)), ...byId]
  return paths.length === 1 ? paths[0] : undefined
}

/** Records with exactly this MSN or business identifier, which a search for its digits may list far down. */
async function byNumber(db: Handle, organisation: Organisation, q: string): Promise<string[]> {
  const number = asStoredIdentifier(q)
  const salesUnit = msnPattern.test(number) ? await findSalesUnit(db, organisation, number) : undefined
  const isMerchants = organisation.kind === 'partner' && businessIdPattern.test(number)
  const merchants = isMerchants ? await merchantsWithId(db, organisation, number) : []
  return [
    ...(salesUnit && !salesUnit.removedAt ? [`sales-units/${number}`] : []),
    ...merchants.map(({ scheme, id }) => `merchants/${scheme}/${id}`),
  ]
}
