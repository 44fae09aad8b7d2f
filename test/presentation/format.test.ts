import { describe, expect, it } from 'vitest'
import { createFormat } from '../../src/presentation/format.ts'

const english = createFormat('en-GB')
const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]

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

describe('a duration', () => {
  it.each([
    [0, 'now'],
    [1.6 * second, '2 seconds ago'],
    [59.4 * second, '59 seconds ago'],
    [59.6 * second, '1 minute ago'],
    [90 * minute, '2 hours ago'],
    [day, 'yesterday'],
  ])('of %i ms has passed', (milliseconds, text) => {
    expect(english.ago(milliseconds)).toBe(text)
  })

  it.each([
    [1, 'in 1 second'],
    [61 * second, 'in 2 minutes'],
    [2 * hour, 'in 2 hours'],
  ])('of %i ms is to come, rounded up', (milliseconds, text) => {
    expect(english.ahead(milliseconds)).toBe(text)
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
