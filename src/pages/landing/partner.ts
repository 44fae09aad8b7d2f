import type { RequestHandler } from 'express'
import { UpstreamError } from '../../errors.ts'
import type { Organisation } from '../../domain/organisation.ts'
import type { ListResource } from '../../store/sync-state.ts'
import type { Facet, SalesUnitFacets } from '../../store/summaries.ts'
import type { Freshness, Lists } from '../../sync/freshness.ts'
import { actingAs, listsHere } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { facetsOf } from '../product-orders/facets.ts'
import { attentionOf } from './attention.ts'
import { chartOf, type Numbers } from './charts.ts'
import { ordersByMonth, salesUnitsByMonth } from './history.ts'

/** A list's freshness; undefined when the API has never answered for it, and the page leaves it out. */
export async function optionalList(
  freshness: PageDeps['freshness'],
  organisation: Organisation,
  resource: ListResource,
  lists: Lists,
): Promise<Freshness | undefined> {
  try {
    return await freshness.list(organisation, resource, lists)
  } catch (error) {
    if (error instanceof UpstreamError) return undefined
    throw error
  }
}

/** A number, or why there is none: not shared, being read, or failed. */
export type Count = {
  readonly key: string
  readonly path: string
  readonly value: number | undefined
  readonly missing: 'notShared' | 'beingRead' | 'failed' | undefined
}

/** The number of rows of a list, for the landing page. */
export function countOf(key: string, path: string, fresh: Freshness | undefined): Count {
  const missing = !fresh ? 'failed' : !fresh.available ? 'notShared' : fresh.total === null ? 'beingRead' : undefined
  return { key, path, value: missing ? undefined : (fresh?.total ?? undefined), missing }
}

/** `GET /partners/:partnerId`: attention, counts, orders by status and month, growth and feedback. */
export function showPartnerLanding({
  database,
  freshness,
  config,
}: Pick<PageDeps, 'database' | 'freshness' | 'config'>): RequestHandler {
  return async (_req, res) => {
    const partner = actingAs(res)
    const lists = listsHere(res)
    const { language } = res.locals
    const [salesUnits, pricePackages, templates, orders] = await Promise.all(
      (['salesUnits', 'pricePackages', 'templates', 'productOrders'] as const).map((resource) =>
        optionalList(freshness, partner, resource, lists),
      ),
    )
    const facets = facetsOf(orders)
    const growth = growthOf(salesUnits)
    const charts = (numbers: Numbers | undefined) => numbers && chartOf(numbers, language.format)
    const now = new Date()
    res.render('landing/partner', {
      title: language.t('landing.title'),
      notices: await attentionOf(database.pages, partner, facets, language),
      counts: [
        countOf('salesUnits', 'sales-units', salesUnits),
        countOf('pricePackages', 'price-packages', pricePackages),
        countOf('templates', 'templates', templates),
      ],
      orders: {
        funnel: funnelOf(facets.status),
        chart: charts(ordersByMonth(facets, growth, language, now)),
        failed: orders === undefined,
        isBeingRead: orders?.isBeingRead ?? false,
      },
      growth: charts(salesUnitsByMonth(growth, language, now)),
      hasSalesUnits: (salesUnits?.total ?? 0) > 0,
      fresh: salesUnits,
      feedbackUrl: config.feedbackUrl,
      supportText: config.supportText,
    })
  }
}

function growthOf(fresh: Freshness | undefined): SalesUnitFacets {
  return (fresh?.facets as SalesUnitFacets | null | undefined) ?? { growth: [] }
}

/** The order statuses with the length of their bars; the longest is 100. */
function funnelOf(statuses: Facet) {
  const most = Math.max(1, ...statuses.map(({ count }) => count))
  return statuses.map(({ value, count }) => ({ value, count, length: (100 * count) / most }))
}
