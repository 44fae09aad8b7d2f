import type { RequestHandler } from 'express'
import { z } from 'zod'
import { BeingReadError, NotFoundError, NotSharedError } from '../../errors.ts'
import { httpUrl } from '../../management-api/parse.ts'
import type { Organisation } from '../../organisation.ts'
import { changesOf } from '../../store/changes.ts'
import { findProductOrder } from '../../store/product-orders.ts'
import type { Lists } from '../../sync/looking.ts'
import { actingAs, listsHere, pathParameter } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'
import { orderOf } from './list.ts'

const uuid = z.guid()

/** A prefill link leads nowhere once the order is final. */
const final = new Set(['COMPLETED', 'REJECTED', 'EXPIRED'])

const load = async (
  { database: { kysely }, looking }: Pick<PageDeps, 'database' | 'looking'>,
  organisation: Organisation,
  id: string,
  lists: Lists,
) => {
  const known = await findProductOrder(kysely, organisation, id)
  const isListed = known?.listed && !known.goneAt
  const fresh = await looking.one(
    organisation,
    'productOrder',
    id,
    isListed ? lists.get('productOrders') : undefined,
  )
  const stored = isListed ? known : await findProductOrder(kysely, organisation, id)
  if (!stored && fresh.isBeingRead) throw new BeingReadError(`product order ${id}`)
  if (!stored || stored.goneAt) throw new NotSharedError('productOrderNotShared', id)
  return { stored, fresh }
}

/** `GET …/product-orders/:productOrderId`: all fields, what the status means, what happens next, and what has happened. */
export const showProductOrder =
  (deps: Pick<PageDeps, 'database' | 'looking'>): RequestHandler =>
  async (req, res) => {
    const productOrderId = pathParameter(req, 'productOrderId').toLowerCase()
    if (!uuid.safeParse(productOrderId).success) throw new NotFoundError('malformed product order id')
    const organisation = actingAs(res)
    const { stored, fresh } = await load(deps, organisation, productOrderId, listsHere(res))
    const order = orderOf(stored)
    res.render('product-orders/detail', {
      title: res.locals.language.t('productOrder.title'),
      order,
      prefillUrl: final.has(order.status) ? undefined : httpUrl(order.productOrderUrl),
      history: await changesOf(deps.database.kysely, organisation, 'productOrder', productOrderId),
      fresh,
    })
  }
