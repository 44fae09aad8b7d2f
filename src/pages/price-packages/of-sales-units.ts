import type { Organisation } from '../../domain/organisation.ts'
import { portalDay } from '../../domain/time-zone.ts'
import type { Language } from '../../presentation/language.ts'
import type { Handle } from '../../store/database.ts'
import { usedPricePackages } from '../../store/price-package-assignments.ts'
import type { Field } from '../lists/list-view.ts'
import type { ExportColumn } from '../lists/sheet.ts'
import type { PricePackageAnswer } from './answer.ts'
import { allPricePackages } from './rows.ts'

/** The filter `?package=` of the sales units: the price packages that some are known to have; none if no one has any. */
export async function pricePackageField(
  db: Handle,
  organisation: Organisation,
  { t }: Language,
  chosen = '',
): Promise<Field[]> {
  if (organisation.kind !== 'partner') return []
  const used = new Set(await usedPricePackages(db, organisation))
  if (chosen !== '') used.add(chosen)
  if (used.size === 0) return []
  const names = new Map(
    (await allPricePackages(db, organisation)).map(({ pricePackageId, name }) => [pricePackageId, name]),
  )
  const ids = [...names.keys(), ...used].filter((id, at, all) => used.has(id) && all.indexOf(id) === at)
  const options = ids.map((value) => ({ value, label: names.get(value) ?? value }))
  return [{ kind: 'one', name: 'package', label: t('templates.pricePackage'), options }]
}

/** The columns of a download: the price package as far as it is known, and how. */
export const pricePackageColumns: readonly ExportColumn<{ readonly answer: PricePackageAnswer }>[] = [
  { label: 'templates.pricePackage', cell: ({ answer }) => knownIn(answer)?.name },
  { label: 'exports.pricePackageId', cell: ({ answer }) => (answer.source === 'narrowed' ? '' : answer.id) },
  { label: 'pricePackages.commission', cell: ({ answer }) => knownIn(answer)?.commission },
  { label: 'pricePackages.how', cell: ({ answer }, language) => howIn(answer, language) },
]

function knownIn(answer: PricePackageAnswer) {
  return answer.source === 'narrowed' ? undefined : answer.pricePackage
}

function howIn(answer: PricePackageAnswer, { t }: Language): string {
  if (answer.source !== 'narrowed') return t(`pricePackages.${answer.source}Since`, { date: portalDay(answer.since) })
  const count = answer.candidates.length
  if (count === 0) return ''
  const names = answer.candidates.map(({ name, pricePackageId }) => name ?? pricePackageId)
  return `${t('pricePackages.likely', { count })}: ${names.join(', ')}`
}
