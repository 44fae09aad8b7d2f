import { z } from 'zod'
import { identifierText, markets, merchantKey } from '../../domain/business-identifier.ts'
import type { Organisation } from '../../domain/organisation.ts'
import { portalDay } from '../../domain/time-zone.ts'
import type { Language } from '../../presentation/language.ts'
import type { Handle } from '../../store/database.ts'
import { lastChangesOf, type MerchantChange } from '../../store/merchant-changes.ts'
import {
  allMerchants,
  countMerchantTabs,
  findMerchants,
  type MerchantColumn,
  type MerchantFilter,
  type MerchantSummary,
  merchantsOf,
} from '../../store/merchants.ts'
import type { ProductOrderFacets, SalesUnitFacets } from '../../store/summaries.ts'
import type { Lists } from '../../sync/freshness.ts'
import { daysField, marketField, productField } from '../lists/filter-fields.ts'
import type { ListDefinition } from '../lists/list.ts'
import { type Field, queryOf } from '../lists/list-view.ts'
import { choice, days, searchText, ticked } from '../lists/query.ts'
import { inBatches } from '../lists/sheet.ts'
import { checkChoices, facetsOf, optionsOf } from '../product-orders/facets.ts'

const withOrWithout = ['some', 'none'] as const
const numbersOfUnits = ['one', 'few', 'many'] as const
/** The days in which a merchant is new. */
const newDays = '7'

/** The list of merchants: those with an active sales unit with the partner, or an order that names the partner. */
export const merchantList: ListDefinition<ListedMerchant, ChangedMerchant, MerchantFilter, MerchantColumn> = {
  noun: 'merchants',
  resource: 'salesUnits',
  // The API may add products: checkProduct() compares them with the orders.
  filters: z.object({
    q: searchText,
    market: choice(markets),
    units: choice([...numbersOfUnits, ...withOrWithout]),
    product: searchText,
    orders: choice(withOrWithout),
    new: days,
    removed: ticked,
  }),
  sorts: ['name', 'identifier', 'country', 'units', 'orders', 'changed'],
  columns: [
    { label: 'merchants.name', sort: 'name' },
    { label: 'salesUnits.identifier', sort: 'identifier', width: 'w-identifier folds' },
    { label: 'merchant.country', sort: 'country', width: 'w-country folds' },
    { label: 'merchants.units', sort: 'units', width: 'w-count right' },
    { label: 'merchants.orders', sort: 'orders', width: 'w-orders right' },
    { label: 'merchants.changed', width: 'w-change' },
    { label: 'merchants.date', sort: 'changed', width: 'w-date' },
  ],
  rowView: 'merchants/row',
  detailPath: ({ scheme, id }) => `merchants/${scheme}/${id}`,
  hasProgress: true,
  fields: ({ language, lists, filter }) => fieldsOf(language, filter, facetsOf(lists.get('productOrders'))),
  load: async ({ db, organisation, language, lists, filter, asked, isDeveloper }) => {
    checkProduct(filter, lists)
    const tabs = tabsOf(language, filter)
    const ofTabs = tabs.map((tab) => tab.filter)
    const { counts, removed } = await countMerchantTabs(db, organisation, filter, ofTabs)
    const current = ofTabs.findIndex((tab) => queryOf({ ...filter, ...tab }) === queryOf(filter))
    const page = await findMerchants(db, organisation, filter, { ...asked, total: counts[current] })
    const rows = await withChanges(db, organisation, page.rows, isDeveloper)
    const total = merchantCount(lists) ?? page.total
    const counted = tabs.map((tab, at) => ({ ...tab, count: counts[at] ?? 0 }))
    const options = removed > 0 ? counted : counted.filter((tab) => !tab.filter.removed)
    return {
      page: { ...page, rows: rows.map((row) => listedOf(row, language)) },
      total: filter.removed ? removed : total,
      tabs: total + removed > 0 ? { label: language.t('merchants.title'), options } : undefined,
    }
  },
  exported: [
    { label: 'merchants.name', cell: ({ name }) => name },
    { label: 'exports.scheme', cell: ({ scheme }) => scheme },
    { label: 'salesUnits.identifier', cell: ({ id }) => id },
    { label: 'merchant.country', cell: ({ market }, { format }) => market && format.country(market) },
    { label: 'merchants.units', cell: ({ salesUnits }) => String(salesUnits) },
    { label: 'merchants.orders', cell: ({ openOrders }) => String(openOrders) },
    { label: 'merchants.changed', cell: ({ lastChange }, language) => changeInWords(lastChange, language) },
    { label: 'merchants.date', kind: 'date', cell: ({ changedAt }) => portalDay(changedAt) },
  ],
  exportRows: async ({ db, organisation, lists, filter, asked, isDeveloper }) => {
    checkProduct(filter, lists)
    const keys = await allMerchants(db, organisation, filter, asked.sort)
    return inBatches(keys, async (some) =>
      withChanges(db, organisation, await merchantsOf(db, organisation, some), isDeveloper),
    )
  },
  notes: () => [['faqTitle', 'faq']],
}

/** A merchant with its last change, as far as it is known. */
type ChangedMerchant = MerchantSummary & { readonly lastChange: MerchantChange | undefined }

type ListedMerchant = ReturnType<typeof listedOf>

/** The number of merchants, if sales units or orders have been read. */
export function merchantCount(lists: Lists): number | undefined {
  return (lists.get('salesUnits')?.facets as Partial<SalesUnitFacets> | null | undefined)?.merchants
}

/** A merchant's name; until it has been read, and for one that is not shared, its business identifier. */
export function merchantName({ name, scheme, id }: Pick<MerchantSummary, 'name' | 'scheme' | 'id'>): string {
  return name ?? identifierText({ scheme, id })
}

function listedOf(row: ChangedMerchant, language: Language) {
  return { ...row, title: merchantName(row), change: changeInWords(row.lastChange, language) }
}

/** The date is that of the change, which for a viewer may be an earlier one than the summary's. */
async function withChanges(
  db: Handle,
  organisation: Organisation,
  rows: readonly MerchantSummary[],
  isDeveloper: boolean,
): Promise<ChangedMerchant[]> {
  const changes = await lastChangesOf(db, organisation, rows.map(merchantKey), !isDeveloper)
  return rows.map((row) => {
    const lastChange = changes.get(merchantKey(row))
    return { ...row, lastChange, changedAt: lastChange?.at ?? row.changedAt }
  })
}

function changeInWords(change: MerchantChange | undefined, { t }: Language): string {
  if (!change) return ''
  const { resource, kind, status } = change
  return t(kind === 'changed' && status !== '' ? `merchants.reached.${status}` : `merchants.last.${resource}.${kind}`)
}

/** The tabs, all of which keep the text, the market and the product. */
function tabsOf({ t }: Language, { units }: MerchantFilter) {
  const all = {
    units: numbersOfUnits.find((number) => number === units) ?? '',
    orders: '',
    new: '',
    removed: false,
  } as const
  return [
    { label: t('common.all'), filter: all, isAll: true },
    { label: t('merchants.withOrders'), filter: { ...all, orders: 'some' } },
    { label: t('merchants.withoutUnits'), filter: { ...all, units: 'none' } },
    { label: t('merchants.newThisWeek'), filter: { ...all, new: newDays } },
    { label: t('lists.removed'), filter: { ...all, units: '', removed: true } },
  ] as const
}

/** @throws BadRequestError for a product that no order has */
function checkProduct({ product }: MerchantFilter, lists: Lists): void {
  checkChoices({ status: '', type: '', product }, facetsOf(lists.get('productOrders')))
}

function fieldsOf(
  language: Language,
  { units, new: newFor }: MerchantFilter,
  facets: ProductOrderFacets,
): readonly Field[] {
  const { t } = language
  const option = (value: string) => ({ value, label: t(`merchants.with.${value}`) })
  // A value that a tab or a link has set is an option as long as it is set.
  const numbers = withOrWithout.some((value) => value === units) ? [...numbersOfUnits, units] : numbersOfUnits
  return [
    marketField(language),
    { kind: 'one', name: 'units', label: t('merchants.units'), options: numbers.map(option) },
    productField(language, optionsOf(facets, 'product')),
    { kind: 'chip', name: 'orders', label: t('merchants.orders'), options: withOrWithout.map(option) },
    daysField(language, 'new', newFor, 'chip'),
    { kind: 'chip', name: 'removed', label: '', options: [{ value: '1', label: t('lists.removed') }] },
  ]
}
