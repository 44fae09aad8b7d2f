import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRandom } from '../../demo/world/random.ts'
import { searchText } from '../../src/domain/search-terms.ts'
import type { Database } from '../../src/store/database.ts'
import { searchTextOf, sortKey, sortKeyNb } from '../../src/store/folding.ts'
import { openTestDatabase } from '../support/database.ts'

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

async function inDatabase(expression: typeof sortKey, texts: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ result: string }>`
    select ${expression(sql`given`)} as result from unnest(${texts}::text[]) with ordinality as all_texts (given, at)
    order by at`.execute(database.kysely)
  return rows.map(({ result }) => result)
}

/** Letters of European alphabets, with punctuation, combining marks, ligatures and full-width forms. */
const signs = [
  ...range(0x20, 0x7e),
  ...range(0xa0, 0x24f),
  ...range(0x300, 0x36f),
  ...range(0x370, 0x587).filter((sign) => /\p{Assigned}/u.test(sign)),
  ...range(0x1e00, 0x1fff).filter((sign) => /\p{Assigned}/u.test(sign)),
  ...range(0x2010, 0x2044),
  ...range(0xfb00, 0xfb06),
  ...range(0xff01, 0xff5e),
  'ʼ',
  '\u{feff}',
  '😀',
]

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index))
}

it('letters fold in the database as in JavaScript', async () => {
  const random = createRandom(7)
  const nordic = 'aaaeeooåäæøöÅÄÆØÖéßİı ,.-'.split('')
  const texts = [
    ...signs.map((sign) => `a${sign}e`),
    ...Array.from({ length: 3000 }, (_, index) => {
      const from = index % 2 === 0 ? nordic : signs
      return Array.from({ length: 1 + random.below(30) }, () => random.pick(from)).join('')
    }),
  ]
  const folded = await inDatabase((given) => searchTextOf([given]), texts)
  expect(folded).toEqual(texts.map((text) => searchText([text])))
})

const names =
  `Åberg, Aaberg, Aabenraa, Äpple, Ærlig, Ødegård, Öberg, Oberg, Saarinen, Szabo, Zebra, Kiosk 2, Kiosk 10, kiosk 007,
Café, Cafeteria, Müller, Mzungu, Ångström, Østby, Azur, Zürich`.split(/,\s/)

it.each([
  ['nb', sortKeyNb],
  ['da', sortKeyNb],
  ['sv', sortKey],
  ['fi', sortKey],
])('names are in the order of the language: %s', async (language, expression) => {
  const keys = await inDatabase(expression, names)
  const keyed = names.map((name, at) => ({ name, key: keys[at] ?? '' }))
  const sorted = keyed.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  const { compare } = new Intl.Collator(language, { numeric: true, sensitivity: 'base' })
  expect(sorted.map(({ name }) => name)).toEqual(names.toSorted(compare))
})
