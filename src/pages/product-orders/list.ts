import type { RequestHandler } from 'express'
import { BadRequestError } from '../../errors.ts'
import type { ProductOrderList } from '../../live/product-orders.ts'
import { actingAs } from '../acting-as.ts'
import { checkPage, pagerLinks, parseQuery } from '../query.ts'
import type { PageDeps } from '../deps.ts'
import { productOrderFilter } from './query.ts'

/** The values of the API's specification; those that the orders themselves have are offered as well. */
const known = {
  status: ['ORDER_SUBMITTED', 'MERCHANT_VIEWED', 'RECEIVED', 'COMPLETED', 'REJECTED', 'EXPIRED'],
  type: ['PREFILL', 'TEMPLATE', 'MANUAL'],
  product: ['PAYMENT_INTEGRATION', 'CASHIER', 'CHECKOUT', 'LOGIN', 'DONATIONS'],
} as const
type Choice = keyof typeof known
const choices: readonly Choice[] = ['status', 'type', 'product']

const optionsOf = (facets: ProductOrderList['facets'], choice: Choice): string[] => [
  ...new Set([...known[choice], ...facets[choice].map(({ value }) => value)]),
]

/** `GET …/product-orders`: every order that names the partner, by what can still be done about it. */
export const listProductOrders =
  ({ records }: Pick<PageDeps, 'records'>): RequestHandler =>
  async (req, res) => {
    const asked = parseQuery(productOrderFilter, req)
    // Whoever asks for expired orders by status wants to see them.
    const filter = { ...asked, expired: asked.expired || asked.status === 'EXPIRED' }
    const list = await records.productOrders.find(actingAs(res), filter)
    const options = {
      status: optionsOf(list.facets, 'status'),
      type: optionsOf(list.facets, 'type'),
      product: optionsOf(list.facets, 'product'),
    }
    const unknown = choices.find(
      (choice) => filter[choice] !== '' && !options[choice].includes(filter[choice]),
    )
    if (unknown) throw new BadRequestError(`unknown ${unknown}`)
    checkPage(list.page)
    const { q, status, type, product } = filter
    res.render('product-orders/list', {
      title: res.locals.language.t('productOrders.title'),
      list,
      filter,
      options,
      filtered: q !== '' || status !== '' || type !== '' || product !== '',
      links: pagerLinks(list.page, { q, status, type, product, expired: filter.expired ? '1' : '' }),
    })
  }
