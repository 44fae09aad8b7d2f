import { httpUrl } from '../../management-api/parse.ts'
import { countryOf } from '../../domain/business-identifier.ts'
import { portalDay } from '../../domain/time-zone.ts'
import type { Language } from '../../presentation/language.ts'
import {
  allProductOrders,
  type ProductOrderColumn,
  type ProductOrderFilter,
  productOrdersOf,
} from '../../store/product-orders.ts'
import type { ListRequest } from '../lists/list.ts'
import { inBatches, type Sheet, sheetOf } from '../lists/sheet.ts'
import { checkChoices, facetsOf } from './facets.ts'
import { merchantOf, orderOf, type ProductOrder } from './order.ts'

/** A text that asks the merchant to submit an order, in the language of the merchant's country. */
export type Reminder = { readonly language: string; readonly text: string; readonly link: string }

/** The languages of the merchants' countries; English for others. */
const languageOfCountry: Readonly<Record<string, string>> = { NO: 'nb', DK: 'da', FI: 'fi', SE: 'sv' }

/** The reminder of an order; undefined unless it waits for its merchant and its link still works. */
export function reminderOf(order: ProductOrder, languages: ReadonlyMap<string, Language>): Reminder | undefined {
  const { expiresAt, businessIdentifier, productType } = order
  const link = httpUrl(order.productOrderUrl)
  const country = businessIdentifier ? countryOf(businessIdentifier.scheme) : ''
  const language = languages.get(languageOfCountry[country] ?? 'en')
  const merchant = merchantOf(order)
  if (!link || !language || !expiresAt || expiresAt.getTime() <= Date.now() || merchant === undefined) return undefined
  const { t, label, format, code } = language
  const product = productType === undefined ? t('productOrder.title') : label(`productType.${productType}`, productType)
  return { language: code, text: t('reminder.text', { product, merchant, date: format.longDay(expiresAt) }), link }
}

/** The download of a list's reminders: each order that waits for its merchant, with its link and the text to send. */
export function reminderSheet(
  request: ListRequest<ProductOrderFilter, ProductOrderColumn>,
  filterWords: string,
): Sheet {
  const { db, organisation, language, languages, lists, filter, asked } = request
  const columns = [
    { label: 'productOrders.merchant', cell: ({ order }: Reminded) => merchantOf(order) },
    { label: 'exports.scheme', cell: ({ order }: Reminded) => order.businessIdentifier?.scheme },
    { label: 'salesUnits.identifier', cell: ({ order }: Reminded) => order.businessIdentifier?.id },
    {
      label: 'productOrders.product',
      cell: ({ order: { productType = '' } }: Reminded, { labelOfCode }: Language) =>
        labelOfCode(`productType.${productType}`, productType),
    },
    {
      label: 'productOrders.status',
      cell: ({ order: { state } }: Reminded, { label }: Language) => label(`orderStatus.${state}.name`, state),
    },
    {
      label: 'productOrders.expires',
      kind: 'date' as const,
      cell: ({ order: { expiresAt } }: Reminded) => expiresAt && portalDay(expiresAt),
    },
    { label: 'productOrder.prefillLink', cell: ({ reminder }: Reminded) => reminder.link },
    {
      label: 'reminder.language',
      cell: ({ reminder }: Reminded, { t }: Language) => t(`portal.languages.${reminder.language}`),
    },
    { label: 'reminder.title', cell: ({ reminder }: Reminded) => reminder.text },
  ]
  return sheetOf(language, 'reminder.sheet', filterWords, columns, async () => {
    checkChoices(filter, facetsOf(lists.get('productOrders')))
    const waiting =
      filter.waiting === '0' ? [] : await allProductOrders(db, organisation, { ...filter, waiting: '1' }, asked.sort)
    return inBatches(waiting, async (some) =>
      (await productOrdersOf(db, organisation, some)).map(orderOf).flatMap((order) => {
        const reminder = reminderOf(order, languages)
        return reminder ? [{ order, reminder }] : []
      }),
    )
  })
}

type Reminded = { readonly order: ProductOrder; readonly reminder: Reminder }
