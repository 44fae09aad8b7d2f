import { z } from 'zod'
import {
  allProductOrders,
  countByStatus,
  findProductOrders,
  type ProductOrderColumn,
  type ProductOrderFilter,
  productOrdersOf,
} from '../../store/product-orders.ts'
import { linkedField, merchantField } from '../lists/filter-fields.ts'
import type { ListDefinition } from '../lists/list.ts'
import { choice, days, month, recordKey, searchText, ticked } from '../lists/query.ts'
import { inBatches } from '../lists/sheet.ts'
import { markets } from '../../domain/business-identifier.ts'
import { orderSteps } from '../../domain/product-order.ts'
import { portalDay } from '../../domain/time-zone.ts'
import { checkChoices, facetsOf, sumOf } from './facets.ts'
import { fieldsOf, ofTab, tabsOf } from './fields.ts'
import { type Expiry, expiryOf, orderOf, type ProductOrder } from './order.ts'
import { reminderSheet } from './reminders.ts'

type ListedOrder = ProductOrder & { readonly expiry: Expiry | undefined }

/** The list of the partner's product orders: those that wait for their merchant first, the next to expire on top. */
export const productOrderList: ListDefinition<ListedOrder, ProductOrder, ProductOrderFilter, ProductOrderColumn> = {
  noun: 'productOrders',
  resource: 'productOrders',
  // The API may add statuses, types and products: checkChoices() compares them with the orders.
  filters: z.object({
    q: searchText,
    status: searchText,
    type: searchText,
    product: searchText,
    market: choice(markets),
    waiting: choice(['1', '0']),
    open: ticked,
    expiring: days,
    changed: days,
    new: days,
    month,
    reached: choice(orderSteps),
    merchant: recordKey,
    msn: recordKey,
  }),
  sorts: ['urgency', 'merchant', 'product', 'status', 'changed', 'expires', 'type'],
  columns: [
    { label: 'productOrders.merchant', sort: 'merchant' },
    { label: 'productOrders.product', sort: 'product', width: 'w-product' },
    { label: 'productOrders.status', sort: 'status', width: 'w-status' },
    { label: 'productOrders.changed', sort: 'changed', width: 'w-date' },
    { label: 'productOrders.expires', sort: 'expires', width: 'w-date' },
    { label: 'productOrders.type', sort: 'type', width: 'w-via folds' },
  ],
  rowView: 'product-orders/row',
  detailPath: ({ productOrderId }) => productOrderId && `product-orders/${productOrderId}`,
  fields: async ({ db, organisation, language, fresh, filter }) => [
    ...fieldsOf(language, facetsOf(fresh), filter),
    ...(await merchantField(db, organisation, language, filter.merchant)),
    ...linkedField('msn', filter.msn, language.t('productOrders.salesUnit')),
    ...linkedField('open', filter.open ? '1' : '', '', language.t('productOrders.open')),
  ],
  load: async ({ db, organisation, language, fresh, filter, asked }) => {
    const facets = facetsOf(fresh)
    checkChoices(filter, facets)
    const { status: _status, waiting: _waiting, ...narrowing } = filter
    const isNarrowed = Object.values(narrowing).some(Boolean)
    // The exact counts of the tabs give the page's total as well.
    const counts = isNarrowed || !fresh.facets ? await countByStatus(db, organisation, filter) : facets.status
    const page = await findProductOrders(db, organisation, filter, { ...asked, total: sumOf(ofTab(counts, filter)) })
    const total = fresh.facets ? sumOf(facets.status) : (fresh.total ?? page.total)
    return {
      page: {
        ...page,
        rows: page.rows.map(orderOf).map((order) => ({ ...order, expiry: expiryOf(order.expiresAt, language) })),
      },
      total,
      tabs: total > 0 ? tabsOf(language, facets, counts) : undefined,
    }
  },
  exported: [
    { label: 'exports.orderId', cell: ({ productOrderId }) => productOrderId },
    { label: 'productOrders.merchant', cell: ({ merchantName }) => merchantName },
    { label: 'exports.scheme', cell: ({ businessIdentifier }) => businessIdentifier?.scheme },
    { label: 'salesUnits.identifier', cell: ({ businessIdentifier }) => businessIdentifier?.id },
    {
      label: 'productOrders.status',
      cell: ({ state }, { labelOfCode }) => labelOfCode(`orderStatus.${state}.name`, state),
    },
    {
      label: 'productOrders.product',
      cell: ({ productType = '' }, { labelOfCode }) => labelOfCode(`productType.${productType}`, productType),
    },
    {
      label: 'productOrders.type',
      cell: ({ productOrderType = '' }, { labelOfCode }) =>
        labelOfCode(`orderType.${productOrderType}`, productOrderType),
    },
    { label: 'salesUnits.msn', cell: ({ salesUnit }) => salesUnit?.msn },
    { label: 'productOrders.salesUnit', cell: ({ salesUnit }) => salesUnit?.name },
    { label: 'productOrders.changed', kind: 'date', cell: ({ changedAt }) => portalDay(changedAt) },
    {
      label: 'productOrders.expires',
      kind: 'date',
      cell: ({ expiresAt }) => expiresAt && portalDay(expiresAt),
    },
    { label: 'lists.firstSeen', kind: 'date', cell: ({ firstSeenAt }) => portalDay(firstSeenAt) },
  ],
  exportRows: async ({ db, organisation, lists, filter, asked }) => {
    checkChoices(filter, facetsOf(lists.get('productOrders')))
    const keys = await allProductOrders(db, organisation, filter, asked.sort)
    return inBatches(keys, async (some) => (await productOrdersOf(db, organisation, some)).map(orderOf))
  },
  moreDownload: { name: 'reminders', label: 'productOrders.reminders', sheetOf: reminderSheet },
  notes: () => [
    ['noteTitle', 'note'],
    ['faqTitle', 'faq', 'why'],
  ],
}
