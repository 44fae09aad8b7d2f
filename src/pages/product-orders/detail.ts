import type { RequestHandler } from 'express'
import { z } from 'zod'
import { finalStatuses } from '../../domain/product-order.ts'
import { BeingReadError, GoneError, NotFoundError, NotSharedError } from '../../errors.ts'
import { httpUrl } from '../../management-api/parse.ts'
import type { Organisation } from '../../domain/organisation.ts'
import { findProductOrder } from '../../store/product-orders.ts'
import type { Lists } from '../../sync/freshness.ts'
import { actingAs, listsHere, pathParameter } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { historyOf } from '../history.ts'
import { noteViewed } from '../search/recent.ts'
import { productOrderDocumentation } from '../documentation.ts'
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
    res.render('product-orders/detail', {
      title,
      order,
      expiry: expiryOf(order.expiresAt, language),
      orderSteps: stepsOf(order, language),
      reminder: reminderOf(order, deps.languages),
      documentation: productOrderDocumentation,
      prefillUrl: finalStatuses.includes(order.status) ? undefined : httpUrl(order.productOrderUrl),
      history: await historyOf(deps, res, 'productOrder', productOrderId),
      fresh,
    })
  }
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
