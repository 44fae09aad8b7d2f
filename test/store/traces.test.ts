import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Partner } from '../../src/domain/organisation.ts'
import type { Database } from '../../src/store/database.ts'
import { salesUnitsNamed } from '../../src/store/traces.ts'
import { openTestDatabase } from '../support/database.ts'

const partner: Partner = { kind: 'partner', id: '12345', name: 'Nordlys' }

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

it('the sales unit with the name comes before others that contain it, and once', async () => {
  await database.pool.query(
    `insert into sales_units (organisation, key, name, first_seen_at, last_seen_at, changed_at)
     select 'partner/12345', (100000 + number)::text, case when number = 4 then 'Kafé Ørsta'
       when number % 2 = 0 then 'Kafé Ørsta Torg' else 'A Kafé Ørsta' end, now(), now(), now()
     from generate_series(1, 8) number`,
  )
  const found = await salesUnitsNamed(database.kysely, [partner], 'KAFE ØRSTA')
  expect(found[0]).toMatchObject({ key: '100004', name: 'Kafé Ørsta' })
  expect(found.length).toBeGreaterThan(1)
  expect(new Set(found.map(({ key }) => key)).size).toBe(found.length)
})
