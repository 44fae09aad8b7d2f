import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Format } from '../../src/presentation/format.ts'
import { createFormat } from '../../src/presentation/format.ts'
import { loadLanguages } from '../../src/presentation/language.ts'

const languages = loadLanguages(fileURLToPath(new URL('../../views/locales', import.meta.url)), 'Vipps MobilePay')
const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]

function formatOf(code: string): Format {
  const language = languages.get(code)
  if (!language) throw new Error(`no language ${code}`)
  return language.format
}

const english = formatOf('en')

afterEach(() => {
  vi.useRealTimers()
})

/** Sets the clock without stopping timers. */
function at(iso: string): void {
  vi.useFakeTimers({ now: new Date(iso), toFake: ['Date'] })
}

describe('a date', () => {
  it.each([
    ['is the next day in Oslo before midnight UTC', '2026-10-01T22:30:00Z', '2 Oct 2026', '2026-10-02'],
    ['follows winter time', '2026-12-31T22:59:59Z', '31 Dec 2026', '2026-12-31'],
    ['begins the year at midnight in Oslo', '2026-12-31T23:00:00Z', '1 Jan 2027', '2027-01-01'],
  ])('%s', (_what, time, shown, iso) => {
    expect([english.day(new Date(time)), english.isoDay(new Date(time))]).toEqual([shown, iso])
  })

  it.each([
    ['before the clocks go back', '2026-10-25T00:30:00Z', '02:30'],
    ['after the clocks have gone back', '2026-10-25T01:30:00Z', '02:30'],
    ['after the clocks have gone forward', '2026-03-29T01:00:00Z', '03:00'],
  ])('has the time of day %s', (_what, time, clock) => {
    expect(english.clock(new Date(time))).toBe(clock)
  })

  it('that is no date is shown unchanged', () => {
    expect([english.date('2026-10-01'), english.date('soon')]).toEqual(['1 Oct 2026', 'soon'])
  })

  it.each([
    ['nb-NO', 'november 2026', 'nov'],
    ['fi-FI', 'marraskuu 2026', 'marras'],
    ['en-GB', 'November 2026', 'Nov'],
  ])('is a month in %s', (locale, long, short) => {
    const format = createFormat(locale)
    expect([format.month('2026-11'), format.month('2026-11', 'short')]).toEqual([long, short])
  })
})

describe('a moment', () => {
  const moment = new Date('2026-11-03T14:05:00Z')

  it.each([
    ['en', '3 November 2026 at 15:05 CET', '3 Nov 2026, 15:05 CET', '15:05 CET'],
    ['nb', '3. november 2026 kl. 15:05', '3. nov. 2026, 15:05', '15:05'],
    ['da', '3. november 2026 kl. 15.05', '3. nov. 2026, 15.05', '15.05'],
    ['sv', '3 november 2026 kl. 15:05', '3 nov. 2026 15:05', '15:05'],
    ['fi', '3. marraskuuta 2026 klo 16.05', '3.11.2026 klo 16.05', '16.05'],
  ])(
    'in %s is in the zone of its country, long in sentences and short in lists; English names the zone',
    (code, long, short, clock) => {
      const format = formatOf(code)
      expect([format.moment(moment), format.shortMoment(moment), format.timeOfDay(moment)]).toEqual([
        long,
        short,
        clock,
      ])
    },
  )

  it.each([
    ['en', '3 Nov', ' 2026', '3 Nov 2025'],
    ['nb', '3. nov.', ' 2026', '3. nov. 2025'],
    ['da', '3. nov.', ' 2026', '3. nov. 2025'],
    ['sv', '3 nov.', ' 2026', '3 nov. 2025'],
    ['fi', '3.11.', '2026', '3.11.2025'],
  ])('in %s can do without the year, if it is the current one', (code, date, year, lastYear) => {
    at('2026-11-05T12:00:00Z')
    const { dayAndYear } = formatOf(code)
    expect(dayAndYear(moment)).toEqual([date, year])
    expect(dayAndYear(new Date('2025-11-03T14:05:00Z'))).toEqual([lastYear, ''])
  })

  it.each([
    ['en', 'Tuesday 3 November', 'Monday 3 November 2025', '08:05 CET'],
    ['nb', 'Tirsdag 3. november', 'Mandag 3. november 2025', '08:05'],
    ['da', 'Tirsdag 3. november', 'Mandag 3. november 2025', '08.05'],
    ['sv', 'Tisdag 3 november', 'Måndag 3 november 2025', '08:05'],
    ['fi', 'Tiistai 3. marraskuuta', 'Maanantai 3. marraskuuta 2025', '9.05'],
  ])('in %s has its weekday, and its time as people write it in the morning', (code, thisYear, lastYear, time) => {
    at('2026-11-05T12:00:00Z')
    const { weekday, timeOfDay } = formatOf(code)
    expect(weekday(moment)).toBe(thisYear)
    expect(weekday(new Date('2025-11-03T14:05:00Z'))).toBe(lastYear)
    expect(timeOfDay(new Date('2026-11-03T07:05:00Z'))).toBe(time)
  })

  it('of today begins with a small letter in the middle of a sentence', () => {
    at('2026-11-03T16:00:00Z')
    const { recent } = formatOf('nb')
    expect([recent(moment), recent(moment, 'middle')]).toEqual(['I dag, 15:05', 'i dag, 15:05'])
  })

  it('late in the evening in Oslo is the next day in Finland', () => {
    const late = new Date('2026-11-03T22:30:00Z')
    expect([english.isoDay(late), formatOf('fi').isoDay(late)]).toEqual(['2026-11-03', '2026-11-04'])
    expect(formatOf('fi').weekday(late)).toMatch(/^Keskiviikko 4\. marraskuuta/)
    expect(formatOf('fi').weekday(late, 'middle')).toMatch(/^keskiviikko 4\. marraskuuta/)
    expect(english.weekday(late, 'middle')).toMatch(/^Tuesday 3 November/)
  })
})

describe('a duration', () => {
  it.each([
    [0, 'now'],
    [1.6 * second, '2 seconds ago'],
    [59.4 * second, '59 seconds ago'],
    [59.6 * second, '1 minute ago'],
    [59.6 * minute, '1 hour ago'],
    [90 * minute, '2 hours ago'],
    [day, 'yesterday'],
  ])('of %i ms has passed', (milliseconds, text) => {
    expect(english.ago(milliseconds)).toBe(text)
  })

  it('that ends in the future, as of a clock that is ahead, is now', () => {
    expect(english.ago(-3 * second)).toBe('now')
  })

  it.each([
    ['2026-11-04T23:30:00Z', '2 days ago'],
    ['2026-11-05T22:30:00Z', 'yesterday'],
  ])('of 25 hours has passed at %s: days are calendar days in Oslo', (now, text) => {
    at(now)
    expect(english.ago(25 * hour)).toBe(text)
  })

  it.each([
    [1, 'in 1 second'],
    [59.2 * second, 'in 1 minute'],
    [61 * second, 'in 2 minutes'],
    [59.2 * minute, 'in 1 hour'],
    [2 * hour, 'in 2 hours'],
  ])('of %i ms is to come, rounded up', (milliseconds, text) => {
    expect(english.ahead(milliseconds)).toBe(text)
  })

  it.each([
    ['nb', 'for 3 dager siden', 'om 3 dager'],
    ['da', 'for 3 dage siden', 'om 3 dage'],
    ['sv', 'för 3 dagar sedan', 'om 3 dagar'],
    ['fi', '3 päivää sitten', '3 päivän päästä'],
  ])('in %s is told in days as people say it', (code, past, future) => {
    const format = formatOf(code)
    expect([format.ago(3 * day), format.inDays(3)]).toEqual([past, future])
  })
})

describe('names', () => {
  it.each([
    ['nb', ['Saarinen', 'Zebra', 'Ærlig', 'Ørsta', 'Aarhus', 'Ås']],
    ['sv', ['Aarhus', 'Saarinen', 'Zebra', 'Ås', 'Ærlig', 'Ørsta']],
    ['fi', ['Aarhus', 'Saarinen', 'Zebra', 'Ås', 'Ærlig', 'Ørsta']],
    ['en', ['Aarhus', 'Ærlig', 'Ås', 'Ørsta', 'Saarinen', 'Zebra']],
  ])('are sorted as in %s', (code, sorted) => {
    expect(sorted.toReversed().toSorted(formatOf(code).compareNames)).toEqual(sorted)
  })
})

describe('a number', () => {
  it.each([
    ['en-GB', '1,234,567'],
    ['da-DK', '1.234.567'],
    ['nb-NO', '1\u00A0234\u00A0567'],
  ])('is grouped as in %s', (locale, text) => {
    expect(createFormat(locale).number(1_234_567)).toBe(text)
  })
})

it('a country has its name, and an unknown code stays as it is', () => {
  expect([english.country('NO'), english.country('ZZZ')]).toEqual(['Norway', 'ZZZ'])
})

describe('a percentage of the API', () => {
  it.each([
    ['2.99%', '2.99%', '2,99\u00A0%'],
    ['30 %', '30%', '30\u00A0%'],
    ['0,50 %', '0.50%', '0,50\u00A0%'],
    ['from 1%', 'from 1%', 'from 1%'],
    ['1.2.3%', '1.2.3%', '1.2.3%'],
  ])('%j is written as in the language', (text, en, nb) => {
    expect([english.percentage(text), createFormat('nb-NO').percentage(text)]).toEqual([en, nb])
  })
})
