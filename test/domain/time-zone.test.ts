import { expect, it } from 'vitest'
import { portalDay, portalMinute } from '../../src/domain/time-zone.ts'

it.each([
  ['2026-10-01T21:59:00Z', '2026-10-01', '2026-10-01 23:59'],
  ['2026-10-01T22:30:00Z', '2026-10-02', '2026-10-02 00:30'],
  ['2026-12-31T23:00:00Z', '2027-01-01', '2027-01-01 00:00'],
])('%s is a day and a minute in Oslo, in ISO 8601', (time, day, minute) => {
  expect([portalDay(new Date(time)), portalMinute(new Date(time))]).toEqual([day, minute])
})
