import { z } from 'zod'
import { identifierText, markets } from '../../domain/business-identifier.ts'
import { portalDay } from '../../domain/time-zone.ts'
import type { Language } from '../../presentation/language.ts'
import {
  allMerchants,
  findMerchants,
  type MerchantColumn,
  type MerchantFilter,
  type MerchantSummary,
  merchantsOf,
} from '../../store/merchants.ts'
import type { SalesUnitFacets } from '../../store/summaries.ts'
import type { Lists } from '../../sync/freshness.ts'
import { marketField } from '../lists/filter-fields.ts'
import type { ListDefinition } from '../lists/list.ts'
import type { Field } from '../lists/list-view.ts'
import { choice, searchText } from '../lists/query.ts'
import { inBatches } from '../lists/sheet.ts'

const withOrWithout = ['some', 'none'] as const

/** The list of merchants: those with an active sales unit with the partner, or an order that names the partner. */
export const merchantList: ListDefinition<ListedMerchant, MerchantSummary, MerchantFilter, MerchantColumn> = {
  noun: 'merchants',
  resource: 'salesUnits',
  filters: z.object({
    q: searchText,
    market: choice(markets),
    units: choice(withOrWithout),
    orders: choice(withOrWithout),
  }),
  sorts: ['name', 'identifier', 'country', 'units', 'orders', 'changed'],
  columns: [
    { label: 'merchants.name', sort: 'name' },
    { label: 'salesUnits.identifier', sort: 'identifier', width: 'w-identifier folds' },
    { label: 'merchant.country', sort: 'country', width: 'w-via' },
    { label: 'merchants.units', sort: 'units', width: 'w-count right' },
    { label: 'merchants.orders', sort: 'orders', width: 'w-count right' },
    { label: 'merchants.changed', sort: 'changed', width: 'w-date' },
  ],
  rowView: 'merchants/row',
  detailPath: ({ scheme, id }) => `merchants/${scheme}/${id}`,
  hasProgress: true,
  load: async ({ db, organisation, language, lists, filter, asked }) => {
    const total = merchantCount(lists)
    const page = await findMerchants(db, organisation, filter, { ...asked, total })
    const rows = page.rows.map((row) => ({ ...row, title: merchantName(row) }))
    return { page: { ...page, rows }, total: total ?? page.total, fields: fieldsOf(language) }
  },
  exported: [
    { label: 'merchants.name', cell: ({ name }) => name },
    { label: 'exports.scheme', cell: ({ scheme }) => scheme },
    { label: 'salesUnits.identifier', cell: ({ id }) => id },
    { label: 'merchant.country', cell: ({ market }, { format }) => market && format.country(market) },
    { label: 'merchants.units', cell: ({ salesUnits }) => String(salesUnits) },
    { label: 'merchants.orders', cell: ({ openOrders }) => String(openOrders) },
    { label: 'merchants.changed', kind: 'date', cell: ({ changedAt }) => portalDay(changedAt) },
  ],
  exportRows: async ({ db, organisation, filter, asked }) => {
    const keys = await allMerchants(db, organisation, filter, asked.sort)
    return inBatches(keys, async (some) => merchantsOf(db, organisation, some))
  },
  notes: () => [['faqTitle', 'faq']],
}

type ListedMerchant = MerchantSummary & { readonly title: string }

/** The number of merchants, if sales units or orders have been read. */
export function merchantCount(lists: Lists): number | undefined {
  return (lists.get('salesUnits')?.facets as Partial<SalesUnitFacets> | null | undefined)?.merchants
}

/** A merchant's name; until it has been read, and for one that is not shared, its business identifier. */
export function merchantName({ name, scheme, id }: Pick<MerchantSummary, 'name' | 'scheme' | 'id'>): string {
  return name ?? identifierText({ scheme, id })
}

function fieldsOf(language: Language): readonly Field[] {
  const { t } = language
  const options = withOrWithout.map((value) => ({ value, label: t(`merchants.with.${value}`) }))
  return [
    marketField(language),
    { kind: 'one', name: 'units', label: t('merchants.units'), options },
    { kind: 'one', name: 'orders', label: t('merchants.orders'), options },
  ]
}
