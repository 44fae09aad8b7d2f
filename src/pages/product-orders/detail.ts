import type { RequestHandler } from 'express'
import { z } from 'zod'
import { NotFoundError } from '../../errors.ts'
import { httpUrl } from '../../management-api/parse.ts'
import { actingAs, pathParameter } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'

const uuid = z.guid()

/** A prefill link leads nowhere once the order is final. */
const final = new Set(['COMPLETED', 'REJECTED', 'EXPIRED'])

/** `GET …/product-orders/:productOrderId`: all fields, what the status means and what happens next. */
export const showProductOrder =
  ({ records }: Pick<PageDeps, 'records'>): RequestHandler =>
  async (req, res) => {
    const productOrderId = pathParameter(req, 'productOrderId')
    if (!uuid.safeParse(productOrderId).success) throw new NotFoundError('malformed product order id')
    const { order, readAt } = await records.productOrders.get(actingAs(res), productOrderId.toLowerCase())
    res.render('product-orders/detail', {
      title: res.locals.language.t('productOrder.title'),
      order,
      prefillUrl: final.has(order.status) ? undefined : httpUrl(order.productOrderUrl),
      readAt,
    })
  }
