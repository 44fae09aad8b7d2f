import { actingAs } from '../request-state.ts'
import { labelOf } from '../lists/filter-fields.ts'
import type { PageDeps } from '../deps.ts'
import { atOnce, type SheetOf } from '../lists/sheet.ts'
import { templateQuery } from './query.ts'
import { allTemplates, templatesFound } from './rows.ts'

/** Every product order template that the filter finds. */
export function templateSheet({ database: { kysely } }: Pick<PageDeps, 'database'>): SheetOf {
  return async (req, res) => {
    const { filter, asked } = templateQuery(req)
    const { language } = res.locals
    const { t } = language
    const rows = templatesFound(await allTemplates(kysely, actingAs(res)), filter, asked.sort)
    return {
      title: t('templates.title'),
      headings: [
        t('exports.id'),
        t('templates.name'),
        t('templates.product'),
        t('templates.pricePackage'),
        t('exports.pricePackageId'),
        t('templates.lockedFields'),
        t('templates.createdAt'),
        t('templates.link'),
      ],
      batches: atOnce(
        rows.map((row) => [
          row.templateId,
          row.name,
          labelOf(language, 'productType', row.productType ?? ''),
          row.pricePackageName ?? '',
          row.pricePackageId ?? '',
          row.lockedFields.join(' '),
          row.createdAt ?? '',
          row.url ?? '',
        ]),
      ),
    }
  }
}
