import type { Language } from '../../presentation/language.ts'
import { allProductOrders, productOrdersOf, type StoredProductOrder } from '../../store/product-orders.ts'
import { actingAs, listsHere } from '../request-state.ts'
import { labelOf } from '../lists/filter-fields.ts'
import type { PageDeps } from '../deps.ts'
import { type Cells, inBatches, type SheetOf } from '../lists/sheet.ts'
import { checkChoices, facetsOf } from './facets.ts'
import { orderOf } from './list.ts'
import { productOrderQuery } from './query.ts'

/** Every product order that the filter finds. */
export function productOrderSheet({ database: { kysely } }: Pick<PageDeps, 'database'>): SheetOf {
  return async (req, res) => {
    const { filter, asked } = productOrderQuery(req)
    checkChoices(filter, facetsOf(listsHere(res).get('productOrders')))
    const organisation = actingAs(res)
    const { language } = res.locals
    const { t } = language
    const keys = await allProductOrders(kysely, organisation, filter, asked.sort)
    return {
      title: t('productOrders.title'),
      headings: [
        t('exports.orderId'),
        t('productOrders.merchant'),
        t('exports.scheme'),
        t('salesUnits.identifier'),
        t('productOrders.status'),
        t('productOrders.product'),
        t('productOrders.type'),
        t('salesUnits.msn'),
        t('productOrders.salesUnit'),
        t('lists.firstSeen'),
      ],
      batches: inBatches(keys, async (some) => productOrdersOf(kysely, organisation, some), cellsOf(language)),
    }
  }
}

function cellsOf(language: Language) {
  return (stored: StoredProductOrder): Cells => {
    const order = orderOf(stored)
    const { status, productType = '', productOrderType = '' } = order
    const { t, has, format } = language
    return [
      order.productOrderId ?? '',
      order.merchantName ?? '',
      order.businessIdentifier.scheme,
      order.businessIdentifier.id,
      has(`orderStatus.${status}.name`) ? t(`orderStatus.${status}.name`) : status,
      labelOf(language, 'productType', productType),
      labelOf(language, 'orderType', productOrderType),
      order.salesUnit?.msn ?? '',
      order.salesUnit?.name ?? '',
      format.isoDay(order.firstSeenAt),
    ]
  }
}
