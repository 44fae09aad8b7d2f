import type { Sorting } from '../../domain/paging.ts'
import { readStored } from '../../management-api/lenient.ts'
import { type PricePackage, pricePackage } from '../../management-api/price-packages.ts'
import { productOrderTemplate } from '../../management-api/product-order-templates.ts'
import type { Organisation } from '../../domain/organisation.ts'
import type { Handle } from '../../store/database.ts'
import { countByPricePackage } from '../../store/price-package-assignments.ts'
import { findPricePackages, findTemplates } from '../../store/price-packages.ts'
import { rowsSorted, rowsWith } from '../lists/rows-in-memory.ts'

export const pricePackageColumns = ['market', 'name', 'product', 'commission'] as const
export type PricePackageColumn = (typeof pricePackageColumns)[number]

/** `q` is searched in name, price, commission and id; '' does not filter. */
export type PricePackageFilter = { readonly q: string; readonly product: string; readonly market: string }

/** All price packages of the partner. */
export async function allPricePackages(db: Handle, partner: Organisation): Promise<PricePackage[]> {
  const rows = await findPricePackages(db, partner)
  return rows.map((row) => readStored(pricePackage, row))
}

/** A price package, and how many templates and current sales units are known to have it. */
export type UsedPricePackage = PricePackage & { readonly templates: number; readonly salesUnits: number }

/** The price packages with their numbers of templates and sales units. */
export async function withUses(
  db: Handle,
  partner: Organisation,
  rows: readonly PricePackage[],
): Promise<UsedPricePackage[]> {
  const units = await countByPricePackage(db, partner)
  const templates = await findTemplates(db, partner)
  const ids = templates.map((row) => readStored(productOrderTemplate, row).pricePackageId)
  return rows.map((row) => ({
    ...row,
    templates: ids.filter((id) => id === row.pricePackageId).length,
    salesUnits: units.get(row.pricePackageId) ?? 0,
  }))
}

const columns: Readonly<Record<PricePackageColumn, (row: PricePackage) => string | undefined>> = {
  market: ({ market }) => market,
  name: ({ name }) => name,
  product: ({ productType }) => productType,
  commission: ({ commission }) => commission,
}

/** The rows that the filter finds, by market, and within one in the requested order. */
export function pricePackagesFound(
  rows: readonly PricePackage[],
  filter: PricePackageFilter,
  sort: Sorting<PricePackageColumn>,
): PricePackage[] {
  const { q, product, market } = filter
  const found = rowsWith(rows, q, (row) => [
    row.name,
    row.pricePackageId,
    ...spellingsOf(row.description),
    ...spellingsOf(row.commission),
  ])
  const some = found
    .filter(({ productType }) => product === '' || productType === product)
    .filter((row) => market === '' || row.market === market)
  const byName = rowsSorted(some, columns.name, { ...sort, descending: false })
  const inOrder = sort.column === 'market' ? byName : rowsSorted(byName, columns[sort.column], sort)
  return rowsSorted(inOrder, columns.market, { ...sort, descending: sort.column === 'market' && sort.descending })
}

/** A percentage as people type it: "2.99%" is also found by "2,99", and "30 %" by "30%". */
function spellingsOf(text = ''): readonly string[] {
  const spellings = [text, text.replaceAll(/\s+(?=%)/g, '')]
  return [...spellings, ...spellings.map((each) => each.replace('.', ','))]
}

/** The rows of a page; the first of each market says so. */
export function groupedByMarket<Row extends PricePackage>(
  rows: readonly Row[],
): (Row & { readonly isFirstOfMarket: boolean })[] {
  return rows.map((row, at) => ({ ...row, isFirstOfMarket: at === 0 || rows[at - 1]?.market !== row.market }))
}
