import type { RequestHandler } from 'express'
import { BadRequestError } from '../../errors.ts'
import { productOrder } from '../../management-api/product-orders.ts'
import { findProductOrders, type StoredProductOrder } from '../../store/product-orders.ts'
import type { ProductOrderFacets } from '../../store/summaries.ts'
import type { Freshness, Lists } from '../../sync/looking.ts'
import { actingAs, listsHere } from '../acting-as.ts'
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

const none: ProductOrderFacets = { status: [], type: [], product: [] }

/** How many orders have which status, type and product, as counted when they were read. */
export const facetsOf = (fresh: Freshness | undefined): ProductOrderFacets =>
  (fresh?.facets as ProductOrderFacets | null | undefined) ?? none

/** How many orders there are but for the expired ones, if the list has been read. */
export const currentOrderCount = (lists: Lists): number | undefined => {
  const fresh = lists.get('productOrders')
  if (!fresh?.facets) return undefined
  return facetsOf(fresh)
    .status.filter(({ value }) => value !== 'EXPIRED')
    .reduce((sum, { count }) => sum + count, 0)
}

const optionsOf = (facets: ProductOrderFacets, choice: Choice): string[] => [
  ...new Set([...known[choice], ...facets[choice].map(({ value }) => value)]),
]

/** An order as the API last showed it. */
export const orderOf = ({ listed, details, merchantName }: StoredProductOrder) => ({
  ...productOrder.parse({ ...listed, ...details }),
  merchantName,
})

/** `GET …/product-orders`: every order that names the partner, by what can still be done about it. */
export const listProductOrders =
  ({ database, looking }: Pick<PageDeps, 'database' | 'looking'>): RequestHandler =>
  async (req, res) => {
    const asked = parseQuery(productOrderFilter, req)
    // Whoever asks for expired orders by status wants to see them.
    const filter = { ...asked, expired: asked.expired || asked.status === 'EXPIRED' }
    const organisation = actingAs(res)
    const fresh = await looking.list(organisation, 'productOrders', listsHere(res))
    const facets = facetsOf(fresh)
    const options = {
      status: optionsOf(facets, 'status'),
      type: optionsOf(facets, 'type'),
      product: optionsOf(facets, 'product'),
    }
    const unknown = choices.find(
      (choice) => filter[choice] !== '' && !options[choice].includes(filter[choice]),
    )
    if (unknown) throw new BadRequestError(`unknown ${unknown}`)
    const page = await findProductOrders(database.kysely, organisation, filter)
    checkPage(page)
    const { q, status, type, product } = filter
    res.render('product-orders/list', {
      title: res.locals.language.t('productOrders.title'),
      page: { ...page, rows: page.rows.map(orderOf) },
      total: facets.status
        .filter(({ value }) => filter.expired || value !== 'EXPIRED')
        .reduce((sum, { count }) => sum + count, 0),
      fresh,
      filter,
      options,
      filtered: q !== '' || status !== '' || type !== '' || product !== '',
      links: pagerLinks(page, { q, status, type, product, expired: filter.expired ? '1' : '' }),
    })
  }
