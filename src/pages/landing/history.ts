import type { Language } from '../../presentation/language.ts'
import type { ProductOrderFacets, SalesUnitFacets } from '../../store/summaries.ts'
import { markets } from '../../domain/business-identifier.ts'
import { queryOf } from '../lists/list-view.ts'
import type { Numbers } from './charts.ts'

const monthsShown = 12

const statuses = ['COMPLETED', 'ORDER_SUBMITTED', 'MERCHANT_VIEWED', 'RECEIVED', 'REJECTED', 'EXPIRED']

/** Product orders by the month in which they were first seen, and by status. `growth` starts at the first sync. */
export function ordersByMonth(
  { months }: ProductOrderFacets,
  { growth }: SalesUnitFacets,
  language: Language,
  now: Date,
): Numbers | undefined {
  const counts = new Map(months.map(({ month, value, count }) => [`${month} ${value}`, count]))
  const has = new Set(months.map(({ value }) => value))
  const kinds = [...statuses.filter((status) => has.has(status)), ...has].map((key) => ({
    key,
    name: language.labelOfCode(`orderStatus.${key}.name`, key),
  }))
  const first = [growth[0]?.month, months[0]?.month].filter((month) => month !== undefined).toSorted()[0]
  const shown = sinceFirst(lastMonths(language, now), first)
  if (shown.length < 2 || months.length === 0) return undefined
  return {
    months: shown,
    kinds: kinds.filter(({ key }, index) => kinds.findIndex((kind) => kind.key === key) === index),
    at: (month, kind) => counts.get(`${month} ${kind}`) ?? 0,
    pathOf: (month, status) => `product-orders${queryOf({ month, status })}`,
  }
}

/** The months from the first one that has numbers. */
function sinceFirst(months: readonly string[], first: string | undefined): readonly string[] {
  return months.filter((month) => first !== undefined && month >= first)
}

/** The twelve months up to the one of `now`, in the portal's time zone. */
function lastMonths({ format }: Language, now: Date): string[] {
  const [year = 0, month = 1] = format.isoDay(now).split('-').map(Number)
  return Array.from({ length: monthsShown }, (_, index) =>
    new Date(Date.UTC(year, month - monthsShown + index, 1)).toISOString().slice(0, 7),
  )
}

/** The number of sales units at the end of each month, by market; '' is an unknown market. */
export function salesUnitsByMonth({ growth }: SalesUnitFacets, language: Language, now: Date): Numbers | undefined {
  const shown = sinceFirst(lastMonths(language, now), growth[0]?.month)
  if (shown.length < 2) return undefined
  const sumUpTo = (month: string, kind: string): number =>
    growth
      .filter((moves) => moves.month <= month && (moves.market ?? '') === kind)
      .reduce((sum, { come, gone }) => sum + come - gone, 0)
  const has = new Set(growth.map(({ market }) => market ?? ''))
  const known: readonly string[] = markets
  const keys = [...known.filter((market) => has.has(market)), ...[...has].filter((one) => !known.includes(one))]
  return {
    months: shown,
    kinds: keys.map((key) => ({
      key,
      name: key ? language.format.country(key) : language.t('common.notRead'),
    })),
    at: sumUpTo,
  }
}
