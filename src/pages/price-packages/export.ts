import { actingAs } from '../request-state.ts'
import { labelOf } from '../lists/filter-fields.ts'
import type { PageDeps } from '../deps.ts'
import { atOnce, type SheetOf } from '../lists/sheet.ts'
import { pricePackageQuery } from './query.ts'
import { allPricePackages, pricePackagesFound } from './rows.ts'

/** Every price package that the filter finds. */
export function pricePackageSheet({ database: { kysely } }: Pick<PageDeps, 'database'>): SheetOf {
  return async (req, res) => {
    const { filter, asked } = pricePackageQuery(req)
    const { language } = res.locals
    const { t, format } = language
    const rows = pricePackagesFound(await allPricePackages(kysely, actingAs(res)), filter, asked.sort)
    return {
      title: t('pricePackages.title'),
      headings: [
        t('pricePackages.id'),
        t('pricePackages.name'),
        t('pricePackages.price'),
        t('pricePackages.commission'),
        t('pricePackages.product'),
        t('pricePackages.market'),
        t('pricePackages.visible'),
      ],
      batches: atOnce(
        rows.map((row) => [
          row.pricePackageId,
          row.name,
          row.description,
          row.commission ?? '',
          labelOf(language, 'productType', row.productType ?? ''),
          row.market ? format.country(row.market) : '',
          row.visibleInSignupForm === undefined ? '' : t(row.visibleInSignupForm ? 'common.yes' : 'common.no'),
        ]),
      ),
    }
  }
}
