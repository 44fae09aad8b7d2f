import { markets } from '../../domain/business-identifier.ts'
import { finalStatuses } from '../../domain/product-order.ts'
import type { Language } from '../../presentation/language.ts'
import type { ProductOrderFacets, SalesUnitFacets } from '../../store/summaries.ts'
import { portalDay } from '../../domain/time-zone.ts'
import { queryOf } from '../lists/list-view.ts'
import type { Numbers } from './charts.ts'

const monthsShown = 12

/** All statuses that are not final. */
const open = 'OPEN'
const orderKinds = ['COMPLETED', open, 'REJECTED', 'EXPIRED']

/** Product orders by the month in which they were first seen, and by what has become of them. */
export function ordersByMonth(
  { months }: ProductOrderFacets,
  { growth }: SalesUnitFacets,
  language: Language,
  now: Date,
): Numbers | undefined {
  const { labelOfCode, t } = language
  const kindOf = (status: string): string => (finalStatuses.includes(status) ? status : open)
  const counts = new Map<string, number>()
  for (const { month, value, count } of months) {
    const key = `${month} ${kindOf(value)}`
    counts.set(key, (counts.get(key) ?? 0) + count)
  }
  const has = new Set(months.map(({ value }) => kindOf(value)))
  const first = [growth[0]?.month, months[0]?.month].filter((month) => month !== undefined).toSorted()[0]
  const shown = sinceFirst(lastMonths(now), first)
  if (shown.length < 2 || months.length === 0) return undefined
  return {
    measure: 'flow',
    months: shown,
    kinds: orderKinds
      .filter((kind) => has.has(kind))
      .map((key) => ({
        key,
        name: key === open ? t('landing.open') : labelOfCode(`orderStatus.${key}.name`, key),
        series: key.toLowerCase(),
      })),
    at: (month, kind) => counts.get(`${month} ${kind}`) ?? 0,
    pathOf: (month, kind) =>
      `product-orders${queryOf({ month, ...(kind === open ? { open: '1' } : { status: kind ?? '' }) })}`,
  }
}

/** The months from the first one that has numbers. */
function sinceFirst(months: readonly string[], first: string | undefined): readonly string[] {
  return months.filter((month) => first !== undefined && month >= first)
}

/** The twelve months up to the one of `now`, in the portal's time zone. */
function lastMonths(now: Date): string[] {
  const [year = 0, month = 1] = portalDay(now).split('-').map(Number)
  return Array.from({ length: monthsShown }, (_, index) =>
    new Date(Date.UTC(year, month - monthsShown + index, 1)).toISOString().slice(0, 7),
  )
}

/** The number of sales units at the end of each month, by market; '' is an unknown market. */
export function salesUnitsByMonth({ growth }: SalesUnitFacets, language: Language, now: Date): Numbers | undefined {
  const shown = sinceFirst(lastMonths(now), growth[0]?.month)
  if (shown.length < 2) return undefined
  const sumUpTo = (month: string, kind: string): number =>
    growth
      .filter((moves) => moves.month <= month && (moves.market ?? '') === kind)
      .reduce((sum, { come, gone }) => sum + come - gone, 0)
  const has = new Set(growth.map(({ market }) => market ?? ''))
  const known: readonly string[] = markets
  const keys = [...known.filter((market) => has.has(market)), ...[...has].filter((one) => !known.includes(one))]
  return {
    measure: 'stock',
    months: shown,
    kinds: keys.map((key) => ({
      key,
      name: key ? language.format.country(key) : language.t('landing.unknownMarket'),
      // A market has the same colour for every partner.
      series: known.includes(key) ? String(known.indexOf(key) + 1) : 'other',
    })),
    at: sumUpTo,
    // The list has no filter by a market that is unknown.
    pathOf: (at, market) =>
      market === undefined || known.includes(market)
        ? `sales-units${queryOf({ at, market: market ?? '' })}`
        : undefined,
  }
}
