import { portalTimeZone } from '../domain/time-zone.ts'

/** Formats numbers, dates and country names in one locale, with Intl. */
export type Format = {
  readonly number: (value: number) => string
  /** A calendar date such as "1 Oct 2026"; other text unchanged. */
  readonly date: (isoDate: string) => string
  /** The date of a moment, such as "1 Oct 2026". */
  readonly day: (time: Date) => string
  /** The date of a moment without the year, such as "30 Nov". */
  readonly shortDay: (time: Date) => string
  /** The date with its weekday, such as "Saturday 28 November"; of another year with the year. */
  readonly weekday: (time: Date) => string
  /** The date of a moment in full, such as "30 November 2026". */
  readonly longDay: (time: Date) => string
  /** The date in ISO 8601, in the portal's time zone: 2026-10-01. */
  readonly isoDay: (time: Date) => string
  /** A date with the time of day, such as "1 Oct 2026, 10:42". */
  readonly moment: (time: Date) => string
  /** Such as "Today, 08:14", and the date of an earlier day. */
  readonly recent: (time: Date) => string
  /** The calendar days from today to the day of a moment: 0 for today. */
  readonly daysTo: (time: Date) => number
  /** "today", "tomorrow", "in 2 days", from calendar days. */
  readonly inDays: (days: number) => string
  /** "79%", from a share of 1. */
  readonly share: (value: number) => string
  /** "2 minutes ago", from milliseconds passed. */
  readonly ago: (milliseconds: number) => string
  /** "in 2 minutes", from milliseconds to come, rounded up. */
  readonly ahead: (milliseconds: number) => string
  /** A month such as "November 2026", or short such as "Nov", from 2026-11. */
  readonly month: (month: string, style?: 'long' | 'short') => string
  /** The time of day, such as "14:05". */
  readonly clock: (time: Date) => string
  /** "a, b and c". */
  readonly list: (words: readonly string[]) => string
  /** "Norway" from NO; an unknown code unchanged. */
  readonly country: (code: string) => string
}

const isoDays = lazy(() => new Intl.DateTimeFormat('sv-SE', { timeZone: portalTimeZone }))

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

/** Creates the formatters of a locale. Intl's constructors are slow, so each runs on first use only. */
export function createFormat(locale: string): Format {
  const timeZone = portalTimeZone
  const numbers = lazy(() => new Intl.NumberFormat(locale))
  const dates = lazy(() => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone }))
  const shortDates = lazy(() => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone }))
  const longDates = lazy(() => new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone }))
  const weekday = { weekday: 'long', day: 'numeric', month: 'long', timeZone } as const
  const weekdays = lazy(() => new Intl.DateTimeFormat(locale, weekday))
  const weekdaysOfYear = lazy(() => new Intl.DateTimeFormat(locale, { ...weekday, year: 'numeric' }))
  const shares = lazy(() => new Intl.NumberFormat(locale, { style: 'percent' }))
  const moments = lazy(() => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone }))
  const clocks = lazy(() => new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone }))
  const months = {
    long: lazy(() => new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' })),
    short: lazy(() => new Intl.DateTimeFormat(locale, { month: 'short', timeZone: 'UTC' })),
  }
  const relative = lazy(() => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))
  const listed = lazy(() => new Intl.ListFormat(locale))
  const countries = lazy(() => new Intl.DisplayNames(locale, { type: 'region' }))
  const inDays = (days: number): string => relative().format(days, 'day')
  const daysTo = (time: Date): number => (midnight(time) - midnight(new Date())) / 86_400_000
  return {
    number: (value) => numbers().format(value),
    date: (isoDate) => {
      const time = Date.parse(isoDate)
      return Number.isNaN(time) ? isoDate : dates().format(time)
    },
    day: (time) => dates().format(time),
    shortDay: (time) => shortDates().format(time),
    longDay: (time) => longDates().format(time),
    weekday: (time) => {
      const isThisYear = isoDays().format(time).slice(0, 4) === isoDays().format(new Date()).slice(0, 4)
      return capitalised((isThisYear ? weekdays() : weekdaysOfYear()).format(time))
    },
    isoDay: (time) => isoDays().format(time),
    recent: (time) => {
      if (daysTo(time) !== 0) return dates().format(time)
      return `${capitalised(inDays(0))}, ${clocks().format(time)}`
    },
    daysTo,
    inDays,
    share: (value) => shares().format(value),
    moment: (time) => moments().format(time),
    ago: (milliseconds) => {
      const seconds = Math.round(milliseconds / 1000)
      const [unit, size] = units.find(([, length]) => seconds >= length) ?? ['second', 1]
      return relative().format(-Math.round(seconds / size), unit)
    },
    ahead: (milliseconds) => {
      const seconds = Math.ceil(milliseconds / 1000)
      const [unit, size] = units.find(([, length]) => seconds >= length) ?? ['second', 1]
      return relative().format(Math.ceil(seconds / size), unit)
    },
    month: (month, style = 'long') => months[style]().format(Date.parse(`${month}-15`)),
    clock: (time) => clocks().format(time),
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

/** The day of a moment in the portal's time zone, as the UTC time of its beginning. */
function midnight(time: Date): number {
  return Date.parse(isoDays().format(time))
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
