import { portalTimeZone } from '../domain/time-zone.ts'

/** Formats numbers, dates and country names in one locale, with Intl. */
export type Format = {
  readonly number: (value: number) => string
  /** A calendar date such as "1 Oct 2026"; other text unchanged. */
  readonly date: (isoDate: string) => string
  /** The date of a moment, such as "1 Oct 2026". */
  readonly day: (time: Date) => string
  /** The date of a moment, such as "1 Oct" and " 2026"; a year that is not the current one is in the first. */
  readonly dayAndYear: (time: Date) => readonly [day: string, year: string]
  /** The date of a moment without the year, such as "30 Nov". */
  readonly shortDay: (time: Date) => string
  /**
   * The date with its weekday, such as "Saturday 28 November"; of another year with the year. Capitalised, but not in the
   * middle of a sentence, where only some languages do.
   */
  readonly weekday: (time: Date, place?: 'start' | 'middle') => string
  /** The date of a moment in full, such as "30 November 2026". */
  readonly longDay: (time: Date) => string
  /** The date in ISO 8601: 2026-10-01. */
  readonly isoDay: (time: Date) => string
  /** A date with the time of day for a sentence, such as "1 October 2026 at 10:42 CEST". */
  readonly moment: (time: Date) => string
  /** A date with the time of day for a list, such as "1 Oct 2026, 10:42 CEST". */
  readonly shortMoment: (time: Date) => string
  /** Such as "Today, 08:14", in the middle of a sentence "today, 08:14"; the date of an earlier day. */
  readonly recent: (time: Date, place?: 'start' | 'middle') => string
  /** The calendar days from today to the day of a moment: 0 for today. */
  readonly daysTo: (time: Date) => number
  /** "today", "tomorrow", "in 2 days", from calendar days. */
  readonly inDays: (days: number) => string
  /** "79%", from a share of 1. */
  readonly share: (value: number) => string
  /** A percentage that the API sends as text, such as "2.99%" or "30 %", as in the language; other text unchanged. */
  readonly percentage: (text: string) => string
  /** "2 minutes ago", from milliseconds passed; from a day on in calendar days. */
  readonly ago: (milliseconds: number) => string
  /** "in 2 minutes", from milliseconds to come, rounded up; from a day on in calendar days. */
  readonly ahead: (milliseconds: number) => string
  /** A month such as "November 2026", or short such as "Nov", from 2026-11. */
  readonly month: (month: string, style?: 'long' | 'short') => string
  /** The time of day, such as "14:05", where the page says the time zone. */
  readonly clock: (time: Date) => string
  /** The time of day for a sentence, such as "14:05 CET". */
  readonly timeOfDay: (time: Date) => string
  /** Compares names as the language sorts them. */
  readonly compareNames: (a: string, b: string) => number
  /** "a, b and c". */
  readonly list: (words: readonly string[]) => string
  /** "Norway" from NO; an unknown code unchanged. */
  readonly country: (code: string) => string
}

/** Up to a day: how many of a unit make one of the next. */
const units = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
] as const

/**
 * Creates the formatters of a locale. Intl's constructors are slow, so each runs on first use only.
 * @param homeZone the time zone of the language's country; without one, times are in the portal's zone and say so
 */
export function createFormat(locale: string, homeZone?: string): Format {
  const timeZone = homeZone ?? portalTimeZone
  const zoneName = homeZone === undefined ? ({ timeZoneName: 'short' } as const) : {}
  const clockDigits = { hour: '2-digit', minute: '2-digit', timeZone, ...zoneName } as const
  const isoDays = lazy(() => new Intl.DateTimeFormat('sv-SE', { timeZone }))
  const numbers = lazy(() => new Intl.NumberFormat(locale))
  const dates = lazy(() => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone }))
  const shortDates = lazy(() => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone }))
  const longDates = lazy(() => new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone }))
  const weekdays = lazy(
    () => new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', timeZone }),
  )
  const shares = lazy(() => new Intl.NumberFormat(locale, { style: 'percent' }))
  // Intl names no zone beside a dateStyle.
  const withTime = (month: 'long' | 'short') =>
    homeZone === undefined
      ? new Intl.DateTimeFormat(locale, { day: 'numeric', month, year: 'numeric', ...clockDigits })
      : new Intl.DateTimeFormat(locale, {
          dateStyle: month === 'long' ? 'long' : 'medium',
          timeStyle: 'short',
          timeZone,
        })
  const moments = lazy(() => withTime('long'))
  const shortMoments = lazy(() => withTime('short'))
  const clocks = lazy(() => new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone }))
  const timesOfDay = homeZone === undefined ? lazy(() => new Intl.DateTimeFormat(locale, clockDigits)) : clocks
  const months = {
    long: lazy(() => new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' })),
    short: lazy(() => new Intl.DateTimeFormat(locale, { month: 'short', timeZone: 'UTC' })),
  }
  const relative = lazy(() => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))
  const listed = lazy(() => new Intl.ListFormat(locale))
  const countries = lazy(() => new Intl.DisplayNames(locale, { type: 'region' }))
  const names = lazy(() => new Intl.Collator(locale))
  // Norwegians say "3 dager"; Intl says "3 døgn".
  const inDays = (days: number): string => relative().format(days, 'day').replace('døgn', 'dager')
  /** The day of a moment, as the UTC time of its beginning. */
  const midnight = (time: Date): number => Date.parse(isoDays().format(time))
  const isThisYear = (time: Date): boolean =>
    isoDays().format(time).slice(0, 4) === isoDays().format(new Date()).slice(0, 4)
  const daysTo = (time: Date): number => (midnight(time) - midnight(new Date())) / 86_400_000
  /** A duration in the unit that fits when rounded: never "60 minutes". `direction` is -1 for the past. */
  const inTime = (milliseconds: number, direction: -1 | 1, round: (value: number) => number): string => {
    let amount = Math.max(0, milliseconds) / 1000
    for (const [unit, next] of units) {
      if (round(amount) < next) return relative().format(direction * round(amount), unit)
      amount /= next
    }
    return inDays(daysTo(new Date(Date.now() + direction * milliseconds)))
  }
  return {
    number: (value) => numbers().format(value),
    date: (isoDate) => {
      const time = Date.parse(isoDate)
      return Number.isNaN(time) ? isoDate : dates().format(time)
    },
    day: (time) => dates().format(time),
    dayAndYear: (time) => {
      const parts = dates().formatToParts(time)
      // All languages of the portal write the year last, some after a space.
      const at = parts.findIndex(({ type }) => type === 'year') - (parts.at(-2)?.value === ' ' ? 1 : 0)
      const [day, year] = [parts.slice(0, at), parts.slice(at)].map((some) => some.map(({ value }) => value).join(''))
      return isThisYear(time) ? [day ?? '', year ?? ''] : [dates().format(time), '']
    },
    shortDay: (time) => shortDates().format(time),
    longDay: (time) => longDates().format(time),
    weekday: (time, place = 'start') => {
      // Finnish Intl puts the weekday into another case when the year is among its fields.
      const text = weekdays().format(time) + (isThisYear(time) ? '' : ` ${isoDays().format(time).slice(0, 4)}`)
      return place === 'start' ? capitalised(text) : text
    },
    isoDay: (time) => isoDays().format(time),
    recent: (time, place = 'start') => {
      if (daysTo(time) !== 0) return dates().format(time)
      return `${place === 'start' ? capitalised(inDays(0)) : inDays(0)}, ${clocks().format(time)}`
    },
    daysTo,
    inDays,
    share: (value) => shares().format(value),
    percentage: (text) => {
      const [, whole, fraction = ''] = /^\s*(\d{1,3})(?:[.,](\d{1,6}))?\s*%\s*$/.exec(text) ?? []
      if (whole === undefined) return text
      const digits = { minimumFractionDigits: fraction.length, maximumFractionDigits: fraction.length }
      return new Intl.NumberFormat(locale, { style: 'percent', ...digits }).format(
        Number(`${whole}.${fraction || '0'}`) / 100,
      )
    },
    moment: (time) => moments().format(time),
    shortMoment: (time) => shortMoments().format(time),
    ago: (milliseconds) => inTime(milliseconds, -1, Math.round),
    ahead: (milliseconds) => inTime(milliseconds, 1, Math.ceil),
    month: (month, style = 'long') => months[style]().format(Date.parse(`${month}-15`)),
    clock: (time) => clocks().format(time),
    timeOfDay: (time) => timesOfDay().format(time),
    compareNames: (a, b) => names().compare(a, b),
    list: (words) => listed().format(words),
    country: memoised((code) => {
      try {
        return countries().of(code) ?? code
      } catch {
        return code
      }
    }),
  }
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function lazy<Value>(make: () => Value): () => Value {
  let made: Value | undefined
  return () => (made ??= make())
}

/** Caches results by key, up to 300. */
function memoised(make: (key: string) => string): (key: string) => string {
  const made = new Map<string, string>()
  return (key) => {
    const known = made.get(key)
    if (known !== undefined) return known
    const value = make(key)
    // Keys come from outside, so the cache is bounded.
    if (made.size < 300) made.set(key, value)
    return value
  }
}
