import type { RequestHandler } from 'express'
import type { Language } from '../../presentation/language.ts'
import { productOrder } from '../../management-api/product-orders.ts'
import { countByStatus, findProductOrders, type StoredProductOrder } from '../../store/product-orders.ts'
import type { Facet, ProductOrderFacets } from '../../store/summaries.ts'
import { actingAs, listsHere } from '../request-state.ts'
import { marketField, productField, labelOf } from '../lists/filter-fields.ts'
import type { PageDeps } from '../deps.ts'
import { type Field, listView } from '../lists/list-view.ts'
import { checkPage } from '../lists/query.ts'
import { checkChoices, facetsOf, optionsOf } from './facets.ts'
import { productOrderColumns, productOrderQuery } from './query.ts'

/** An order as the API last showed it. */
export function orderOf({ listed, details, merchantName, firstSeenAt }: StoredProductOrder) {
  return {
    ...productOrder.parse({ ...listed, ...details }),
    merchantName,
    firstSeenAt,
  }
}

/** `GET …/product-orders`: every order that names the partner, by what can still be done about it. */
export function listProductOrders({ database, freshness }: Pick<PageDeps, 'database' | 'freshness'>): RequestHandler {
  return async (req, res) => {
    const { filter, asked } = productOrderQuery(req)
    const organisation = actingAs(res)
    const fresh = await freshness.list(organisation, 'productOrders', listsHere(res))
    const facets = facetsOf(fresh)
    checkChoices(filter, facets)
    const { q, status, type, product, market, expired } = filter
    const isAll = expired || status === 'EXPIRED'
    const isNarrowed = [q, type, product, market].some((value) => value !== '')
    // The tabs' counts are exact, and say how many this page is of.
    const counted = isNarrowed ? await countByStatus(database.kysely, organisation, filter) : undefined
    const counts = counted ?? facets.status
    const found = counted && sumOf(status === '' ? counted : counted.filter(({ value }) => value === status), isAll)
    const page = await findProductOrders(database.kysely, organisation, filter, { ...asked, total: found })
    checkPage(page)
    const { language } = res.locals
    res.render('product-orders/list', {
      title: language.t('productOrders.title'),
      page: { ...page, rows: page.rows.map(orderOf) },
      total: sumOf(facets.status, isAll),
      current: sumOf(counts, expired),
      fresh,
      list: listView({
        path: `${req.baseUrl}${req.path}`,
        filter,
        asked,
        columns: productOrderColumns,
        fields: [tabsOf(language, facets, counts), ...fieldsOf(language, facets)],
        page,
      }),
    })
  }
}

function sumOf(counts: Facet, expired: boolean): number {
  return counts.filter(({ value }) => expired || value !== 'EXPIRED').reduce((sum, { count }) => sum + count, 0)
}

/** The statuses that have orders, and those that an order passes through whether or not any is there now. */
function tabsOf({ t, has }: Language, facets: ProductOrderFacets, counts: Facet): Field {
  const counted = new Map(counts.map(({ value, count }) => [value, count]))
  return {
    kind: 'tabs',
    name: 'status',
    label: t('productOrders.status'),
    options: optionsOf(facets, 'status').map((value) => ({
      value,
      label: has(`orderStatus.${value}.name`) ? t(`orderStatus.${value}.name`) : value,
      count: counted.get(value) ?? 0,
    })),
  }
}

function fieldsOf(language: Language, facets: ProductOrderFacets): readonly Field[] {
  const { t } = language
  const type: Field = {
    kind: 'one',
    name: 'type',
    label: t('productOrders.type'),
    options: optionsOf(facets, 'type').map((value) => ({
      value,
      label: labelOf(language, 'orderType', value),
    })),
  }
  const options = [{ value: '1', label: t('productOrders.expired') }]
  return [
    productField(language, optionsOf(facets, 'product')),
    type,
    marketField(language),
    { kind: 'tick', name: 'expired', label: '', options },
  ]
}
