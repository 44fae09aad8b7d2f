import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { timeZoneOf } from '../../src/domain/time-zone.ts'
import type { Database } from '../../src/store/database.ts'
import { nextDigest } from '../../src/store/notice-settings.ts'
import { openTestDatabase } from '../support/database.ts'

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(async () => database.close())

async function next(digest: 'daily' | 'weekly', now: string, zone = 'Europe/Oslo'): Promise<string | undefined> {
  const { rows } = await sql<{ at: Date }>`
    select ${nextDigest(sql`${digest}::text`, sql`${zone}::text`, sql`${new Date(now)}::timestamptz`)} as at
  `.execute(database.kysely)
  return rows[0]?.at.toISOString().replace(':00.000Z', 'Z')
}

it('a daily digest comes at the next seven o’clock of the time zone', async () => {
  expect(await next('daily', '2026-11-04T05:59:59Z')).toBe('2026-11-04T06:00Z')
  expect(await next('daily', '2026-11-04T06:00:00Z')).toBe('2026-11-05T06:00Z')
  expect(await next('daily', '2026-11-04T22:30:00Z')).toBe('2026-11-05T06:00Z')
  expect(await next('daily', '2026-11-04T04:59:00Z', 'Europe/Helsinki')).toBe('2026-11-04T05:00Z')
})

it('and stays at seven when summer time begins and ends', async () => {
  expect(await next('daily', '2026-03-28T06:00:00Z')).toBe('2026-03-29T05:00Z')
  expect(await next('daily', '2026-03-28T23:30:00Z')).toBe('2026-03-29T05:00Z')
  expect(await next('daily', '2026-10-24T05:00:00Z')).toBe('2026-10-25T06:00Z')
  expect(await next('daily', '2026-10-25T00:30:00Z')).toBe('2026-10-25T06:00Z')
})

it('a weekly digest comes on Monday at seven', async () => {
  expect(await next('weekly', '2026-11-04T10:00:00Z')).toBe('2026-11-09T06:00Z')
  expect(await next('weekly', '2026-11-08T23:30:00Z')).toBe('2026-11-09T06:00Z')
  expect(await next('weekly', '2026-11-09T05:59:00Z')).toBe('2026-11-09T06:00Z')
  expect(await next('weekly', '2026-11-09T06:00:00Z')).toBe('2026-11-16T06:00Z')
  expect(await next('weekly', '2026-10-19T05:00:00Z')).toBe('2026-10-26T06:00Z')
})

it('the time zone is that of the country of a merchant, and the operator’s for partners', () => {
  const of = (scheme: string) => timeZoneOf({ kind: 'merchant', scheme, id: '1' }, 'Europe/Paris')
  expect(
    ['business:NO:ORG', 'business:DK:CVR', 'business:FI:Y-tunnus', 'business:SE:ORG', 'business:XX:ID'].map(of),
  ).toEqual(['Europe/Oslo', 'Europe/Copenhagen', 'Europe/Helsinki', 'Europe/Stockholm', 'Europe/Paris'])
  expect(timeZoneOf({ kind: 'partner', id: '12345' }, 'Europe/Paris')).toBe('Europe/Paris')
})
