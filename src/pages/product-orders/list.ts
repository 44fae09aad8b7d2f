import { z } from 'zod'
import { readStored } from '../../management-api/lenient.ts'
import { productOrder } from '../../management-api/product-orders.ts'
import type { Language } from '../../presentation/language.ts'
import {
  allProductOrders,
  countByStatus,
  findProductOrders,
  type ProductOrderColumn,
  type ProductOrderFilter,
  productOrdersOf,
  type StoredProductOrder,
} from '../../store/product-orders.ts'
import type { Facet, ProductOrderFacets } from '../../store/summaries.ts'
import { marketField, productField } from '../lists/filter-fields.ts'
import type { ListDefinition } from '../lists/list.ts'
import type { Field } from '../lists/list-view.ts'
import { choice, searchText, ticked } from '../lists/query.ts'
import { inBatches } from '../lists/sheet.ts'
import { markets } from '../../domain/business-identifier.ts'
import { unknownStatus } from '../../domain/product-order.ts'
import { checkChoices, facetsOf, optionsOf } from './facets.ts'

type ProductOrder = ReturnType<typeof orderOf>

/** The list of the partner's product orders, the most urgent first. */
export const productOrderList: ListDefinition<ProductOrder, ProductOrder, ProductOrderFilter, ProductOrderColumn> = {
  noun: 'productOrders',
  resource: 'productOrders',
  // The API may add statuses, types and products: checkChoices() compares them with the orders.
  filters: z.object({
    q: searchText,
    status: searchText,
    type: searchText,
    product: searchText,
    market: choice(markets),
    expired: ticked,
  }),
  sorts: ['urgency', 'merchant', 'status', 'product', 'type', 'salesUnit', 'seen'],
  columns: [
    { label: 'productOrders.merchant', sort: 'merchant' },
    { label: 'productOrders.status', sort: 'status', width: 'w-status' },
    { label: 'productOrders.product', sort: 'product', width: 'w-product' },
    { label: 'productOrders.type', sort: 'type', width: 'w-via folds' },
    { label: 'productOrders.salesUnit', sort: 'salesUnit', width: 'w-unit' },
    { label: 'lists.firstSeen', sort: 'seen', width: 'w-date' },
  ],
  rowView: 'product-orders/row',
  detailPath: ({ productOrderId }) => productOrderId && `product-orders/${productOrderId}`,
  load: async ({ db, organisation, language, fresh, filter, asked }) => {
    const facets = facetsOf(fresh)
    checkChoices(filter, facets)
    const { q, status, type, product, market, expired } = filter
    const isAll = expired || status === 'EXPIRED'
    const isNarrowed = [q, type, product, market].some((value) => value !== '')
    // The exact counts of the tabs give the page's total as well.
    const counted = isNarrowed ? await countByStatus(db, organisation, filter) : undefined
    const counts = counted ?? facets.status
    const found = counted && sumOf(status === '' ? counted : counted.filter(({ value }) => value === status), isAll)
    const page = await findProductOrders(db, organisation, filter, { ...asked, total: found })
    return {
      page: { ...page, rows: page.rows.map(orderOf) },
      total: sumOf(facets.status, isAll),
      tabTotal: sumOf(counts, expired),
      fields: [tabsOf(language, facets, counts), ...fieldsOf(language, facets)],
    }
  },
  exported: [
    { label: 'exports.orderId', cell: ({ productOrderId }) => productOrderId },
    { label: 'productOrders.merchant', cell: ({ merchantName }) => merchantName },
    { label: 'exports.scheme', cell: ({ businessIdentifier }) => businessIdentifier?.scheme },
    { label: 'salesUnits.identifier', cell: ({ businessIdentifier }) => businessIdentifier?.id },
    {
      label: 'productOrders.status',
      cell: ({ status }, language) => language.label(`orderStatus.${status}.name`, status),
    },
    {
      label: 'productOrders.product',
      cell: ({ productType = '' }, language) => language.label(`productType.${productType}`, productType),
    },
    {
      label: 'productOrders.type',
      cell: ({ productOrderType = '' }, language) => language.label(`orderType.${productOrderType}`, productOrderType),
    },
    { label: 'salesUnits.msn', cell: ({ salesUnit }) => salesUnit?.msn },
    { label: 'productOrders.salesUnit', cell: ({ salesUnit }) => salesUnit?.name },
    { label: 'lists.firstSeen', kind: 'date', cell: ({ firstSeenAt }, { format }) => format.isoDay(firstSeenAt) },
  ],
  exportRows: async ({ db, organisation, lists, filter, asked }) => {
    checkChoices(filter, facetsOf(lists.get('productOrders')))
    const keys = await allProductOrders(db, organisation, filter, asked.sort)
    return inBatches(keys, async (some) => (await productOrdersOf(db, organisation, some)).map(orderOf))
  },
  notes: () => [
    ['noteTitle', 'note'],
    ['faqTitle', 'faq'],
  ],
}

/** An order as the API last showed it. */
export function orderOf({ listed, details, merchantName, firstSeenAt }: StoredProductOrder) {
  const { status = unknownStatus, ...order } = readStored(productOrder, { ...listed, ...details })
  return { ...order, status, merchantName, firstSeenAt }
}

function sumOf(counts: Facet, expired: boolean): number {
  return counts.filter(({ value }) => expired || value !== 'EXPIRED').reduce((sum, { count }) => sum + count, 0)
}

/** Tabs for the documented statuses, with or without orders, and for others that orders have. */
function tabsOf(language: Language, facets: ProductOrderFacets, counts: Facet): Field {
  const counted = new Map(counts.map(({ value, count }) => [value, count]))
  return {
    kind: 'tabs',
    name: 'status',
    label: language.t('productOrders.status'),
    options: optionsOf(facets, 'status').map((value) => ({
      value,
      label: language.label(`orderStatus.${value}.name`, value),
      count: counted.get(value) ?? 0,
    })),
  }
}

function fieldsOf(language: Language, facets: ProductOrderFacets): readonly Field[] {
  const { t } = language
  const types = optionsOf(facets, 'type').map((value) => ({
    value,
    label: language.label(`orderType.${value}`, value),
  }))
  return [
    productField(language, optionsOf(facets, 'product')),
    { kind: 'one', name: 'type', label: t('productOrders.type'), options: types },
    marketField(language),
    { kind: 'tick', name: 'expired', label: '', options: [{ value: '1', label: t('productOrders.expired') }] },
  ]
}
