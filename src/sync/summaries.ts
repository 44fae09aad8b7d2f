import type { Organisation } from '../organisation.ts'
import { unreadCounts } from '../store/backlog.ts'
import { type ListResource, readingOf, summarise } from '../store/readings.ts'
import { countRows, productOrderFacets, salesUnitFacets } from '../store/summaries.ts'
import { lists } from './resources.ts'
import type { SyncSource } from './source.ts'

/** Of so many sales units it costs nothing to draw up their growth again and again while they are read. */
const fewRows = 5000

/**
 * Counts once what pages show without counting.
 * @param how.inPassing true in the middle of a run, where only how far it has come is of interest
 */
export const summariseList = async (
  { database: { kysely } }: SyncSource,
  organisation: Organisation,
  resource: ListResource,
  how: { readonly inPassing?: boolean } = {},
): Promise<void> => {
  const { table } = lists[resource]
  const total = await countRows(kysely, organisation, table)
  if (resource === 'salesUnits') {
    const unread = await unreadCounts(kysely, organisation)
    const done = Math.max(0, total - unread.salesUnits - unread.merchants)
    const isLater = how.inPassing && total > fewRows
    const facets = isLater ? undefined : await salesUnitFacets(kysely, organisation)
    await summarise(kysely, organisation, resource, { total, done, facets })
  } else {
    const facets = resource === 'productOrders' ? await productOrderFacets(kysely, organisation) : null
    await summarise(kysely, organisation, resource, { total, facets })
  }
}

/** The same after details were read. A list that has never been read stays unknown: none of it is not nothing. */
export const summariseAgain = async (
  source: SyncSource,
  organisation: Organisation,
  resource: ListResource,
  how: { readonly inPassing?: boolean } = {},
): Promise<void> => {
  const reading = await readingOf(source.database.kysely, organisation, resource)
  if (reading && (reading.checkedAt || reading.total !== null))
    await summariseList(source, organisation, resource, how)
}
