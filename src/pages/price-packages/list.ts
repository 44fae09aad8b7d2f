import { z } from 'zod'
import { marketField, productField } from '../lists/filter-fields.ts'
import type { ListDefinition } from '../lists/list.ts'
import { searchText } from '../lists/query.ts'
import { pageOf } from '../lists/rows-in-memory.ts'
import { inMemory } from '../lists/sheet.ts'
import {
  allPricePackages,
  groupedByMarket,
  type PricePackageColumn,
  pricePackageColumns,
  type PricePackageFilter,
  pricePackagesFound,
  type UsedPricePackage,
  withUses,
} from './rows.ts'

/** The list of the partner's price packages. */
export const pricePackageList: ListDefinition<
  UsedPricePackage & { readonly isFirstOfMarket: boolean },
  UsedPricePackage,
  PricePackageFilter,
  PricePackageColumn
> = {
  noun: 'pricePackages',
  resource: 'pricePackages',
  filters: z.object({ q: searchText, product: searchText, market: searchText }),
  sorts: pricePackageColumns,
  columns: [
    { label: 'pricePackages.name', sort: 'name' },
    { label: 'pricePackages.price', width: 'w-expires right' },
    { label: 'pricePackages.commission', sort: 'commission', width: 'w-number right' },
    { label: 'pricePackages.product', sort: 'product', width: 'w-product folds' },
    { label: 'pricePackages.visible', width: 'w-form' },
    { label: 'pricePackages.usedBy', width: 'w-uses' },
    { label: 'pricePackages.id', width: 'w-id' },
  ],
  rowView: 'price-packages/row',
  fields: async ({ db, organisation, language }) => {
    const rows = await allPricePackages(db, organisation)
    const products = rows.flatMap(({ productType }) => productType ?? [])
    const markets = rows.flatMap(({ market }) => market ?? [])
    return [productField(language, products), marketField(language, markets)]
  },
  load: async ({ db, organisation, filter, asked }) => {
    const rows = await allPricePackages(db, organisation)
    const found = pageOf(pricePackagesFound(rows, filter, asked.sort), asked)
    const page = { ...found, rows: groupedByMarket(await withUses(db, organisation, found.rows)) }
    return { page, total: rows.length }
  },
  exported: [
    { label: 'pricePackages.id', cell: ({ pricePackageId }) => pricePackageId },
    { label: 'pricePackages.name', cell: ({ name }) => name },
    { label: 'pricePackages.price', cell: ({ description }) => description },
    { label: 'pricePackages.commission', kind: 'percentage', cell: ({ commission }) => commission },
    {
      label: 'pricePackages.product',
      cell: ({ productType = '' }, { label }) => label(`productType.${productType}`, productType),
    },
    { label: 'pricePackages.market', cell: ({ market }, { format }) => market && format.country(market) },
    {
      label: 'pricePackages.visible',
      cell: ({ visibleInSignupForm: isVisible }, { t }) =>
        isVisible === undefined ? '' : t(isVisible ? 'common.yes' : 'common.no'),
    },
    { label: 'menu.templates', cell: ({ templates }) => String(templates) },
    { label: 'menu.salesUnits', cell: ({ salesUnits }) => String(salesUnits) },
  ],
  exportRows: async ({ db, organisation, filter, asked }) =>
    inMemory(
      await withUses(
        db,
        organisation,
        pricePackagesFound(await allPricePackages(db, organisation), filter, asked.sort),
      ),
    ),
  notes: () => [
    ['commissionTitle', 'commissionText'],
    ['faqTitle', 'faq'],
  ],
}
