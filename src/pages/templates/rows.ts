import type { Sorting } from '../../domain/paging.ts'
import { readStored } from '../../management-api/lenient.ts'
import { pricePackage } from '../../management-api/price-packages.ts'
import { productOrderTemplate } from '../../management-api/product-order-templates.ts'
import type { Organisation } from '../../domain/organisation.ts'
import type { Handle } from '../../store/database.ts'
import { findPricePackages, findTemplates } from '../../store/price-packages.ts'
import { rowsSorted, rowsWith } from '../lists/rows-in-memory.ts'

export const templateColumns = ['name', 'product', 'created'] as const
export type TemplateColumn = (typeof templateColumns)[number]

/** `q` is searched in name, id and link; '' does not filter. */
export type TemplateFilter = { readonly q: string; readonly product: string; readonly package?: string }

/** The partner's templates, with the name of their price package if it is known. */
export async function allTemplates(db: Handle, partner: Organisation) {
  const rows = await findTemplates(db, partner)
  const packages = await findPricePackages(db, partner)
  const names = new Map(
    packages.map((row) => readStored(pricePackage, row)).map(({ pricePackageId, name }) => [pricePackageId, name]),
  )
  return rows
    .map((row) => readStored(productOrderTemplate, row))
    .map((template) => ({
      ...template,
      // Without the name, the page shows the price package's id.
      pricePackageName: template.pricePackageId && names.get(template.pricePackageId),
    }))
}

export type TemplateRow = Awaited<ReturnType<typeof allTemplates>>[number]

const columns: Readonly<Record<TemplateColumn, (row: TemplateRow) => string | undefined>> = {
  name: ({ name }) => name,
  product: ({ productType }) => productType,
  created: ({ createdAt }) => createdAt,
}

/** The rows that the filter finds, in the requested order. */
export function templatesFound(
  rows: readonly TemplateRow[],
  { q, product, package: pricePackageId = '' }: TemplateFilter,
  sort: Sorting<TemplateColumn>,
): TemplateRow[] {
  const found = rowsWith(rows, q, ({ name, templateId, url }) => [name, templateId, url])
  const some = found
    .filter(({ productType }) => product === '' || productType === product)
    .filter((row) => pricePackageId === '' || row.pricePackageId === pricePackageId)
  const byName = rowsSorted(some, columns.name, { ...sort, descending: false })
  return rowsSorted(byName, columns[sort.column], sort)
}
