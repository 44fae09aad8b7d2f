import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Database } from '../../src/store/database.ts'
import { createFoldCase, type Folding } from '../../src/store/fold-case.ts'
import { openEmptyTestDatabase } from '../support/database.ts'

let database: Database
beforeAll(async () => {
  database = await openEmptyTestDatabase()
})
afterAll(() => database.close())

const names = [
  'ØRSTA',
  'Ærlig Ångström',
  'ŠKODA Žižkov',
  'ISTANBUL',
  'ΑΘΉΝΑ',
  'МОСКВА',
  'Þórr',
  'cafe\u{301}',
  `O'Hara \\ 'x'`,
]

it.each<Folding>(['locale', 'list'])('letters fold as in JavaScript, by %s', async (folding) => {
  await sql`drop function if exists fold_case(text)`.execute(database.kysely)
  await createFoldCase(database.kysely, folding)
  const { rows } = await sql<{ folded: string }>`
    select fold_case(name) as folded from unnest(${names}::text[]) name`.execute(database.kysely)
  expect(rows.map(({ folded }) => folded)).toEqual(names.map((name) => name.normalize('NFC').toLowerCase()))
})
