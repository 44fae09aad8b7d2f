import { z } from 'zod'
import { linkedField, productField } from '../lists/filter-fields.ts'
import type { Language } from '../../presentation/language.ts'
import type { ListDefinition } from '../lists/list.ts'
import type { Field } from '../lists/list-view.ts'
import { recordKey, searchText } from '../lists/query.ts'
import { pageOf } from '../lists/rows-in-memory.ts'
import { inMemory } from '../lists/sheet.ts'
import {
  allTemplates,
  type TemplateColumn,
  type TemplateFilter,
  templateColumns,
  type TemplateRow,
  templatesFound,
} from './rows.ts'

/** The list of the partner's product order templates. */
export const templateList: ListDefinition<
  TemplateRow & { readonly locked: string },
  TemplateRow,
  TemplateFilter,
  TemplateColumn
> = {
  noun: 'templates',
  resource: 'templates',
  filters: z.object({ q: searchText, product: searchText, package: recordKey }),
  sorts: templateColumns,
  columns: [
    { label: 'templates.name', sort: 'name' },
    { label: 'templates.product', sort: 'product', width: 'w-product folds' },
    { label: 'templates.pricePackage', width: 'w-what' },
    { label: 'templates.lockedFields', width: 'w-locked' },
    { label: 'templates.createdAt', sort: 'created', width: 'w-date folds' },
    { label: 'templates.link', width: 'w-actions' },
  ],
  rowView: 'templates/row',
  fields: async ({ db, organisation, language, filter }) => {
    const rows = await allTemplates(db, organisation)
    const products = rows.flatMap(({ productType }) => productType ?? [])
    return [productField(language, products), ...packageField(rows, filter.package ?? '', language)]
  },
  load: async ({ db, organisation, language, filter, asked }) => {
    const rows = await allTemplates(db, organisation)
    const page = pageOf(templatesFound(rows, filter, asked.sort), asked)
    return {
      page: { ...page, rows: page.rows.map((row) => ({ ...row, locked: lockedInWords(row, language) })) },
      total: rows.length,
    }
  },
  exported: [
    { label: 'exports.id', cell: ({ templateId }) => templateId },
    { label: 'templates.name', cell: ({ name }) => name },
    {
      label: 'templates.product',
      cell: ({ productType = '' }, { label }) => label(`productType.${productType}`, productType),
    },
    { label: 'templates.pricePackage', cell: ({ pricePackageName }) => pricePackageName },
    { label: 'exports.pricePackageId', cell: ({ pricePackageId }) => pricePackageId },
    { label: 'templates.lockedFields', cell: ({ lockedFields }) => lockedFields.join(' ') },
    { label: 'templates.createdAt', kind: 'date', cell: ({ createdAt }) => createdAt },
    { label: 'templates.link', cell: ({ url }) => url },
  ],
  exportRows: async ({ db, organisation, filter, asked }) =>
    inMemory(templatesFound(await allTemplates(db, organisation), filter, asked.sort)),
}

/** The names of the fields that the merchant cannot change, as a text; '' without any. */
function lockedInWords({ lockedFields }: TemplateRow, { label }: Language): string {
  const text = lockedFields.map((field) => label(`templates.field.${field}`, field)).join(', ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

/** The filter by the price packages that templates have; a link may name another one. */
function packageField(rows: readonly TemplateRow[], chosen: string, { t }: Language): Field[] {
  const label = t('templates.pricePackage')
  const names = new Map(
    rows.flatMap(({ pricePackageId: id, pricePackageName: name }) => (id ? [[id, name ?? id] as const] : [])),
  )
  if (chosen !== '' && !names.has(chosen)) return linkedField('package', chosen, label)
  const options = [...names].map(([value, name]) => ({ value, label: name }))
  return options.length === 0 ? [] : [{ kind: 'one', name: 'package', label, options }]
}
