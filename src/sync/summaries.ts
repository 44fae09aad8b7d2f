import type { Handle } from '../store/database.ts'
import type { Organisation } from '../domain/organisation.ts'
import { unreadCounts } from '../store/backlog.ts'
import { countRows, productOrderFacets, salesUnitFacets } from '../store/summaries.ts'
import { findSyncState, type ListResource, writeSummary } from '../store/sync-state.ts'
import { lists } from './resources.ts'

/** Up to so many sales units the growth is recomputed while details are read; above, only at the end. */
const fewRows = 5000

/**
 * Computes and stores the counts that pages show.
 * @param how.inPassing true during a run, when only the progress matters
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

/** Recomputes the counts after details were read. A list that was never read stays unknown rather than empty. */
export async function summariseAgain(
  db: Handle,
  organisation: Organisation,
  resource: ListResource,
  how: { readonly inPassing?: boolean } = {},
): Promise<void> {
  const state = await findSyncState(db, organisation, resource)
  if (state && (state.checkedAt || state.total !== null)) await summariseList(db, organisation, resource, how)
}
