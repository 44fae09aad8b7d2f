import { salesUnit } from '../../management-api/sales-units.ts'
import { allSalesUnits, salesUnitsOf, type StoredSalesUnit } from '../../store/sales-units.ts'
import type { Language } from '../../presentation/language.ts'
import { actingAs } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import { type Cells, inBatches, type SheetOf } from '../lists/sheet.ts'
import { salesUnitQuery, switches } from './query.ts'

/** Every sales unit that the filter finds, with all switches of its configuration; blank what has not been read. */
export function salesUnitSheet({ database: { kysely } }: Pick<PageDeps, 'database'>): SheetOf {
  return async (req, res) => {
    const { filter, asked } = salesUnitQuery(req)
    const organisation = actingAs(res)
    const { language } = res.locals
    const { t } = language
    const keys = await allSalesUnits(kysely, organisation, filter, asked.sort)
    return {
      title: t('salesUnits.title'),
      headings: [
        t('salesUnits.name'),
        t('salesUnits.msn'),
        t('salesUnits.merchant'),
        t('exports.scheme'),
        t('salesUnits.identifier'),
        t('salesUnits.capture'),
        ...switches.map((name) => t(`configuration.${name}.name`)),
        t('lists.firstSeen'),
      ],
      batches: inBatches(keys, async (some) => salesUnitsOf(kysely, organisation, some), cellsOf(language)),
    }
  }
}

function cellsOf({ t, has, format }: Language) {
  return ({ msn, name, merchantName, details, firstSeenAt }: StoredSalesUnit): Cells => {
    const read = details ? salesUnit.parse(details) : undefined
    const { scheme = '', id = '' } = read?.businessIdentifier ?? {}
    const capture = read?.configuration['captureType']
    const type = typeof capture === 'string' ? capture : ''
    const isOn = switches.map((key) => {
      const value = read?.configuration[key]
      return typeof value === 'boolean' ? t(value ? 'common.yes' : 'common.no') : ''
    })
    return [
      name,
      msn,
      merchantName ?? '',
      scheme,
      id,
      has(`captureTypes.${type}`) ? t(`captureTypes.${type}`) : type,
      ...isOn,
      format.isoDay(firstSeenAt),
    ]
  }
}
