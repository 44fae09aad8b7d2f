import type { Sorting } from '../../domain/paging.ts'
import { pricePackage } from '../../management-api/price-packages.ts'
import { productOrderTemplate } from '../../management-api/product-order-templates.ts'
import type { Organisation } from '../../domain/organisation.ts'
import type { Handle } from '../../store/database.ts'
import { findPricePackages, findTemplates } from '../../store/price-packages.ts'
import { rowsSorted, rowsWith } from '../lists/rows-in-memory.ts'

export const templateColumns = ['name', 'product', 'created'] as const
export type TemplateColumn = (typeof templateColumns)[number]

/** `q` is part of a name or an id; an empty string asks for all. */
export type TemplateFilter = { readonly q: string; readonly product: string }

/** All of a partner's templates, by name, with the name of the price package where that is known. */
export async function allTemplates(db: Handle, partner: Organisation) {
  const [rows, packages] = await Promise.all([findTemplates(db, partner), findPricePackages(db, partner)])
  const names = new Map(
    packages.map((row) => pricePackage.parse(row)).map(({ pricePackageId, name }) => [pricePackageId, name]),
  )
  return rows
    .map((row) => productOrderTemplate.parse(row))
    .map((template) => ({
      ...template,
      // Without its price package a template still shows, with the id alone.
      pricePackageName: template.pricePackageId && names.get(template.pricePackageId),
    }))
}

export type TemplateRow = Awaited<ReturnType<typeof allTemplates>>[number]

const columns: Readonly<Record<TemplateColumn, (row: TemplateRow) => string | undefined>> = {
  name: ({ name }) => name,
  product: ({ productType }) => productType,
  created: ({ createdAt }) => createdAt,
}

/** Those that the filter finds, in this order. */
export function templatesFound(
  rows: readonly TemplateRow[],
  { q, product }: TemplateFilter,
  sort: Sorting<TemplateColumn>,
): TemplateRow[] {
  const found = rowsWith(rows, q, ({ name, templateId, url }) => [name, templateId, url])
  const some = found.filter(({ productType }) => product === '' || productType === product)
  return rowsSorted(some, columns[sort.column], sort)
}
