import type { RequestHandler } from 'express'
import { z } from 'zod'
import { identifierText } from '../../domain/business-identifier.ts'
import { finalStatuses, linkExpiry, waitingStatuses } from '../../domain/product-order.ts'
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
import { orderOf } from './list.ts'

const uuid = z.guid()

/** `GET …/product-orders/:productOrderId`: all fields, the status explained, and the order's history. */
export function showProductOrder(deps: Pick<PageDeps, 'database' | 'freshness'>): RequestHandler {
  return async (req, res) => {
    const productOrderId = pathParameter(req, 'productOrderId').toLowerCase()
    if (!uuid.safeParse(productOrderId).success) throw new NotFoundError('malformed product order id')
    const organisation = actingAs(res)
    const { stored, fresh } = await load(deps, organisation, productOrderId, {
      lists: listsHere(res),
      userId: req.user?.id,
    })
    const order = orderOf(stored)
    noteViewed(req, `${res.locals.language.t('productOrder.title')}: ${nameOf(order)}`)
    res.render('product-orders/detail', {
      title: `${res.locals.language.t('productOrder.title')} – ${nameOf(order)}`,
      order,
      expiry:
        order.productOrderType === 'PREFILL' && waitingStatuses.includes(order.status)
          ? linkExpiry(stored.firstSeenAt)
          : undefined,
      documentation: productOrderDocumentation,
      prefillUrl: finalStatuses.includes(order.status) ? undefined : httpUrl(order.productOrderUrl),
      history: await historyOf(deps, res, 'productOrder', productOrderId),
      fresh,
    })
  }
}

async function load(
  { database: { pages: db }, freshness }: Pick<PageDeps, 'database' | 'freshness'>,
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
      title: nameOf(orderOf(stored)),
      key: id,
      removedAt: stored.removedAt,
    })
  }
  return { stored, fresh }
}

/** The merchant of an order, or as much as the API gives of it. */
function nameOf({ merchantName, businessIdentifier, productOrderId }: ReturnType<typeof orderOf>): string {
  return merchantName ?? (businessIdentifier ? identifierText(businessIdentifier) : (productOrderId ?? ''))
}
