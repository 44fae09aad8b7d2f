import type { RequestHandler } from 'express'
import { z } from 'zod'
import { merchantKey } from '../../domain/business-identifier.ts'
import { finalStatuses } from '../../domain/product-order.ts'
import { BeingReadError, GoneError, NotFoundError, NotSharedError } from '../../errors.ts'
import { httpUrl } from '../../management-api/parse.ts'
import type { Organisation } from '../../domain/organisation.ts'
import { findProductOrder, type StoredProductOrder } from '../../store/product-orders.ts'
import { findSalesUnit } from '../../store/sales-units.ts'
import type { ProductOrderFacets } from '../../store/summaries.ts'
import type { Lists } from '../../sync/freshness.ts'
import { actingAs, listsHere, pathParameter } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { historyOf } from '../history.ts'
import { noteViewed } from '../search/recent.ts'
import { productOrderDocumentation } from '../documentation.ts'
import { pricePackageAnswer } from '../price-packages/answer.ts'
import { allPricePackages } from '../price-packages/rows.ts'
import { relatedOrders, relatedSalesUnits, withoutThis } from '../related.ts'
import { expiryOf, merchantOf, orderName, orderOf } from './order.ts'
import { reminderOf } from './reminders.ts'
import { stepsOf } from './steps.ts'

const uuid = z.guid()

type Deps = Pick<PageDeps, 'database' | 'freshness' | 'languages'>

/** `GET …/product-orders/:productOrderId`: its steps, what to do next, all fields, and the order's history. */
export function showProductOrder(deps: Deps): RequestHandler {
  return async (req, res) => {
    const productOrderId = pathParameter(req, 'productOrderId').toLowerCase()
    if (!uuid.safeParse(productOrderId).success) throw new NotFoundError('malformed product order id')
    const organisation = actingAs(res)
    const { language } = res.locals
    const ask = { lists: listsHere(res), userId: req.user?.id }
    const { stored, fresh } = await load(deps, organisation, productOrderId, ask)
    const order = orderOf(stored)
    const title = orderName(order, language)
    noteViewed(req, title)
    const db = deps.database.pages
    const { role } = res.locals
    const { businessIdentifier, salesUnit } = order
    const asked = { db, organisation, language, role }
    const others = businessIdentifier && (await relatedOrders(asked, { merchant: merchantKey(businessIdentifier) }))
    const units = businessIdentifier && (await relatedSalesUnits(asked, merchantKey(businessIdentifier)))
    const unit = salesUnit?.msn === undefined ? undefined : await findSalesUnit(db, organisation, salesUnit.msn)
    const packages = await allPricePackages(db, organisation)
    const history = await historyOf(deps, res, 'productOrder', productOrderId, order)
    const facets = ask.lists.get('productOrders')?.facets as ProductOrderFacets | null | undefined
    res.render('product-orders/detail', {
      title,
      order,
      expiry: expiryOf(order.expiresAt, language),
      orderSteps: stepsOf(order, language, facets?.funnel?.medianDays),
      reminder: reminderOf(order, deps.languages),
      documentation: productOrderDocumentation,
      prefillUrl: finalStatuses.includes(order.status) ? undefined : httpUrl(order.productOrderUrl),
      history,
      units,
      others: others && withoutThis(others, (other) => other.productOrderId === productOrderId),
      isUnitGone: Boolean(unit?.removedAt),
      answer: pricePackageAnswer(packages, {
        ...pricedBy(stored, unit),
        scheme: businessIdentifier?.scheme,
        product: order.productType,
      }),
      fresh,
    })
  }
}

/** What the API says of the order, or what is known of the sales unit that it created. */
function pricedBy(order: StoredProductOrder, unit: Awaited<ReturnType<typeof findSalesUnit>>) {
  if (order.pricePackageId === null && unit) return unit
  const { pricePackageId, firstSeenAt } = order
  return { pricePackageId, pricePackageSource: 'api', pricePackageSince: firstSeenAt } as const
}

async function load(
  { database: { pages: db }, freshness }: Deps,
  organisation: Organisation,
  id: string,
  ask: { readonly lists: Lists; readonly userId: string | undefined },
) {
  const known = await findProductOrder(db, organisation, id)
  const isListed = known?.listed && !known.removedAt
  const list = ask.lists.get('productOrders')
  const fresh = await freshness.record(organisation, 'productOrder', id, {
    list: isListed ? list : undefined,
    unlistedFor: !known && list?.checkedAt ? ask.userId : undefined,
  })
  const stored = isListed ? known : await findProductOrder(db, organisation, id)
  if (!stored && fresh.isBeingRead) throw new BeingReadError(`product order ${id}`)
  if (!stored) throw new NotSharedError('productOrderNotShared', id)
  if (stored.removedAt) {
    throw new GoneError('productOrderGone', {
      title: merchantOf(orderOf(stored)) ?? id,
      key: id,
      removedAt: stored.removedAt,
    })
  }
  return { stored, fresh }
}
