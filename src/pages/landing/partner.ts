import type { RequestHandler } from 'express'
import { UpstreamError } from '../../errors.ts'
import type { Organisation } from '../../domain/organisation.ts'
import { pageSizes } from '../../domain/paging.ts'
import type { Handle } from '../../store/database.ts'
import { everyOrder, findProductOrders } from '../../store/product-orders.ts'
import type { ListResource } from '../../store/sync-state.ts'
import type { SalesUnitFacets } from '../../store/summaries.ts'
import type { Freshness, Lists } from '../../sync/freshness.ts'
import { actingAs, listsHere, signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { queryOf } from '../lists/list-view.ts'
import { parseQuery } from '../lists/query.ts'
import { checkChoices, facetsOf, orderCount } from '../product-orders/facets.ts'
import { attentionOf, newDays } from './attention.ts'
import { chartOf, type Numbers } from './charts.ts'
import { funnelOf, funnelQuery } from './funnel.ts'
import { ordersByMonth, salesUnitsByMonth } from './history.ts'
import { sinceLastVisit } from './since.ts'

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
  /** How many of them are new, and a link to those. */
  readonly fresh?: { readonly count: number; readonly more: boolean; readonly path: string } | undefined
}

/** The number of rows of a list, for the landing page. */
export function countOf(key: string, path: string, fresh: Freshness | undefined): Count {
  const missing = !fresh ? 'failed' : !fresh.available ? 'notShared' : fresh.total === null ? 'beingRead' : undefined
  return { key, path, value: missing ? undefined : (fresh?.total ?? undefined), missing }
}

/** `GET /partners/:partnerId`: attention, numbers, how far orders come, orders by month, growth and feedback. */
export function showPartnerLanding({
  database,
  freshness,
  config,
}: Pick<PageDeps, 'database' | 'freshness' | 'config'>): RequestHandler {
  const db = database.pages
  return async (req, res) => {
    const asked = parseQuery(funnelQuery, req)
    const partner = actingAs(res)
    const lists = listsHere(res)
    const { language } = res.locals
    const [salesUnits, pricePackages, templates, orders] = await Promise.all(
      (['salesUnits', 'pricePackages', 'templates', 'productOrders'] as const).map((resource) =>
        optionalList(freshness, partner, resource, lists),
      ),
    )
    const facets = facetsOf(orders)
    checkChoices({ status: '', product: asked.product, type: asked.type }, facets)
    const growth = growthOf(salesUnits)
    const charts = (numbers: Numbers | undefined) => numbers && chartOf(numbers, language.format)
    const now = new Date()
    const [notices, newOrders, funnel] = await Promise.all([
      attentionOf(db, partner, language, salesUnits?.total ?? undefined),
      countNewOrders(db, partner),
      funnelOf(db, partner, asked, facets, language),
    ])
    res.render('landing/partner', {
      title: language.t('landing.title'),
      notices,
      since: await sinceLastVisit({ database }, res, signedIn(req).id),
      counts: [
        {
          ...countOf('salesUnits', 'sales-units', salesUnits),
          fresh: notices.find(({ key }) => key === 'newSalesUnits'),
        },
        { ...countOf('productOrders', 'product-orders', orders), fresh: newOrders },
        countOf('pricePackages', 'price-packages', pricePackages),
        countOf('templates', 'templates', templates),
      ],
      orders: {
        funnel,
        total: orderCount(lists) ?? orders?.total ?? 0,
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

/** The number of new orders, of the same filter as their list's; undefined without any. */
async function countNewOrders(db: Handle, partner: Organisation): Promise<Count['fresh']> {
  const page = await findProductOrders(
    db,
    partner,
    { ...everyOrder, new: newDays },
    {
      page: 1,
      size: pageSizes[0],
      sort: { column: 'urgency', descending: false },
    },
  )
  return page.total === 0
    ? undefined
    : { count: page.total, more: page.more, path: `product-orders${queryOf({ new: newDays })}` }
}

function growthOf(fresh: Freshness | undefined): SalesUnitFacets {
  return { growth: [], merchants: 0, ...(fresh?.facets as Partial<SalesUnitFacets> | null | undefined) }
}
