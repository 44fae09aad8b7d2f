import type { RequestHandler } from 'express'
import { UpstreamError } from '../../errors.ts'
import type { Organisation } from '../../domain/organisation.ts'
import type { ListResource } from '../../store/sync-state.ts'
import type { SalesUnitFacets } from '../../store/summaries.ts'
import { findVisit } from '../../store/visits.ts'
import type { Freshness, Lists } from '../../sync/freshness.ts'
import { actingAs, listsHere, signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { productOrderDocumentation } from '../documentation.ts'
import { seesDevelopers } from '../history.ts'
import { parseQuery } from '../lists/query.ts'
import { checkChoices, facetsOf, orderCount } from '../product-orders/facets.ts'
import { aboutOf } from './about.ts'
import { attentionOf } from './attention.ts'
import { chartOf, type Numbers } from './charts.ts'
import { funnelOf, funnelQuery } from './funnel.ts'
import { ordersByMonth, salesUnitsByMonth } from './history.ts'
import { partnerNumbers } from './numbers.ts'
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

/** `GET /partners/:partnerId`: attention, what is new, how far orders come, numbers, orders by month, growth and feedback. */
export function showPartnerLanding({ database, freshness }: Pick<PageDeps, 'database' | 'freshness'>): RequestHandler {
  const db = database.pages
  return async (req, res) => {
    const asked = parseQuery(funnelQuery, req)
    const partner = actingAs(res)
    const lists = listsHere(res)
    const { language } = res.locals
    const listOf = async (resource: ListResource) => optionalList(freshness, partner, resource, lists)
    // They are known already, except those that were never read, for which the page waits at the same time.
    const [salesUnits, productOrders, pricePackages, templates, webhooks] = await Promise.all([
      listOf('salesUnits'),
      listOf('productOrders'),
      listOf('pricePackages'),
      listOf('templates'),
      seesDevelopers(res) ? listOf('webhooks') : undefined,
    ])
    const facets = facetsOf(productOrders)
    checkChoices({ status: '', product: asked.product, type: asked.type }, facets)
    const growth = growthOf(salesUnits)
    const charts = (numbers: Numbers | undefined) => numbers && chartOf(numbers, language.format)
    const now = new Date()
    const visit = await findVisit(db, partner, signedIn(req).id)
    const orderTotal = orderCount(lists) ?? productOrders?.total ?? 0
    res.render('landing/partner', {
      title: language.t('landing.title'),
      about: aboutOf(req, res, visit),
      notices: await attentionOf(db, partner, language, facets),
      since: await sinceLastVisit(db, res, visit.lastAt),
      counts: await partnerNumbers(db, res, { salesUnits, productOrders, pricePackages, templates, webhooks }),
      orders: {
        funnel: await funnelOf(db, partner, asked, facets, language),
        total: orderTotal,
        chart: charts(ordersByMonth(facets, growth, language, now)),
        failed: productOrders === undefined,
        isBeingRead: productOrders?.isBeingRead ?? false,
      },
      growth: charts(salesUnitsByMonth(growth, language, now)),
      hasSalesUnits: (salesUnits?.total ?? 0) > 0,
      hasNothing: salesUnits?.total === 0 && productOrders?.isBeingRead === false && orderTotal === 0,
      hasTemplates: (templates?.total ?? 0) > 0,
      documentation: productOrderDocumentation,
      fresh: salesUnits,
    })
  }
}

function growthOf(fresh: Freshness | undefined): SalesUnitFacets {
  return { growth: [], merchants: 0, ...(fresh?.facets as Partial<SalesUnitFacets> | null | undefined) }
}
