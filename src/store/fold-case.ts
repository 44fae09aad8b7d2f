import { type QueryExecutorProvider, sql } from 'kysely'

/**
 * Creates the SQL function `fold_case(text)`: NFC in lower case, for every letter of European languages, whatever the
 * locale of the database. `lower` alone knows only ASCII with `--locale=C`, and folds `I` to `ı` in Turkish.
 * @param folding which way to take; by default the fastest that is right in this database
 */
export async function createFoldCase(db: QueryExecutorProvider, folding?: Folding): Promise<void> {
  const chosen = folding ?? (await foldingOf(db))
  await sql`
    create function fold_case(given text) returns text language sql immutable parallel safe
    as ${sql.lit(`select ${bodies[chosen]}`)}`.execute(db)
}

/** By the locale of the database, by ICU's locale-independent rules, or by a list of letters, which is slower. */
export type Folding = 'locale' | 'icu' | 'list'

async function foldingOf(db: QueryExecutorProvider): Promise<Folding> {
  const { rows } = await sql<{ byLocale: boolean; hasIcu: boolean }>`
    select lower(${sample} collate "default") = ${sample.toLowerCase()} as "byLocale",
      exists (select from pg_collation where collname = 'und-x-icu') as "hasIcu"`.execute(db)
  const [found] = rows
  return found?.byLocale ? 'locale' : found?.hasIcu ? 'icu' : 'list'
}

const sample = 'IÆØÅÄÖÉŠŽÞŁΣЖ'

/** Capitals that JavaScript folds to one letter, below the rarer alphabets, from U+0530 on. */
const capitals = Array.from({ length: 0x530 - 0x80 }, (_, index) => String.fromCodePoint(0x80 + index)).filter(
  (letter) => letter.toLowerCase() !== letter && letter.toLowerCase().length === 1,
)

// The collation is explicit, because that of `given`, such as the byte collation of keys, would apply.
const bodies: Readonly<Record<Folding, string>> = {
  locale: `lower(normalize(given) collate "default")`,
  icu: `lower(normalize(given) collate "und-x-icu")`,
  list: `case when octet_length(given) = length(given) then lower(given collate "C")
    else translate(lower(normalize(given) collate "C"), '${capitals.join('')}', '${capitals.join('').toLowerCase()}') end`,
}
