import type { Handle } from '../store/database.ts'
import type { Organisation } from '../domain/organisation.ts'
import { unreadCounts } from '../store/backlog.ts'
import { countRows, productOrderFacets, salesUnitFacets } from '../store/summaries.ts'
import { findSyncState, type ListResource, writeSummary } from '../store/sync-state.ts'
import { lists } from './resources.ts'

/** Of so many sales units it costs nothing to draw up their growth again and again while they are read. */
const fewRows = 5000

/**
 * Counts once what pages show without counting.
 * @param how.inPassing true in the middle of a run, where only how far it has come is of interest
 */
export async function summariseList(
  db: Handle,
  organisation: Organisation,
  resource: ListResource,
  how: { readonly inPassing?: boolean } = {},
): Promise<void> {
  const total = await countRows(db, organisation, lists[resource].table)
  if (resource !== 'salesUnits') {
    const facets = resource === 'productOrders' ? await productOrderFacets(db, organisation) : null
    return writeSummary(db, organisation, resource, { total, facets })
  }
  const unread = await unreadCounts(db, organisation)
  const done = Math.max(0, total - unread.salesUnits - unread.merchants)
  const isLater = how.inPassing && total > fewRows
  const facets = isLater ? undefined : await salesUnitFacets(db, organisation)
  return writeSummary(db, organisation, resource, { total, done, facets })
}

/** The same after details were read. A list that has never been read stays unknown: none of it is not nothing. */
export async function summariseAgain(
  db: Handle,
  organisation: Organisation,
  resource: ListResource,
  how: { readonly inPassing?: boolean } = {},
): Promise<void> {
  const state = await findSyncState(db, organisation, resource)
  if (state && (state.checkedAt || state.total !== null)) await summariseList(db, organisation, resource, how)
}
