import { type QueryExecutorProvider, type RawBuilder, sql } from 'kysely'
import { folding } from '../domain/folding.ts'

const { latin, others, wide, marks, pairs } = folding

/**
 * Creates the SQL functions of search and sorting. They give the same in every locale: `lower` with the collation "C"
 * knows ASCII, and the letters beyond are those of domain/folding.ts. Each is complete in itself, because a restored
 * dump computes generated columns without a search path.
 */
export async function createFolding(db: QueryExecutorProvider): Promise<void> {
  const single = sql`translate(folded, ${sql.lit(latin.from)}, ${sql.lit(latin.to)})`
  const all = Object.entries(wide).reduce(
    (text, [letter, two]) => sql`replace(${text}, ${sql.lit(letter)}, ${sql.lit(two)})`,
    single,
  )
  // As fold() in JavaScript.
  await sql`
    create function fold(given text) returns text language plpgsql immutable strict parallel safe as $fold$
    declare
      folded text collate "C" := replace(lower(given collate "C"), ',', '.');
    begin
      if octet_length(folded) = length(folded) then
        return folded;
      end if;
      folded := replace(lower(regexp_replace(normalize(given, nfkd), ${sql.lit(marks)}, '', 'g') collate "C"), ',', '.');
      if octet_length(folded) = length(folded) then
        return folded;
      end if;
      folded := ${all};
      if folded ~ '[\\u0370-\\u058f]' then
        folded := translate(folded, ${sql.lit(others.from)}, ${sql.lit(others.to)});
      end if;
      return folded;
    end $fold$`.execute(db)
  // As searchText() in JavaScript, of a folded text.
  await sql`
    create function search_forms(folded text) returns text language plpgsql immutable strict parallel safe as $forms$
    declare
      short text := regexp_replace(folded, ${sql.lit(pairs)}, '', 'g');
    begin
      return case when short = folded then folded else folded || E'\\n' || short end;
    end $forms$`.execute(db)
  await sql`
    create function sort_key(folded text) returns text language sql immutable strict parallel safe as $key$
      select left(btrim(regexp_replace(regexp_replace(regexp_replace(
        folded collate "C", '[^ a-z0-9{|}\\u00c0-\\U0010ffff]', '!', 'g'),
        '\\d+', '000000000000\\&', 'g'), '0*(\\d{12})', '\\1', 'g')), 100)
    $key$`.execute(db)
}

/** SQL: what a search in these columns looks in; each begins with a space, and `null` counts as empty. */
export function searchTextOf(columns: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  const lines = columns.map((column) => sql`' ' || coalesce(${column}, '')`)
  return sql`search_forms(fold(${sql.join(lines, sql` || E'\\n' || `)}))`
}

/**
 * SQL: a key whose byte order is the order of names in Swedish and Finnish, and in English, which has no order of its
 * own for these letters: case and accents are ignored, å, ä (and æ) and ö (and ø) come last, punctuation comes first, and
 * numbers sort by value. At most 100 characters; later differences are ignored. A collation would depend on the server.
 */
export function sortKey(name: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`sort_key(fold(translate(normalize(${name}, nfkc), '{|}ÅåÄäÆæÖöØøŒœÜü', '!!!{{||||}}}}}}yy')))`
}

/** SQL: the same in Norwegian and Danish, where æ, ø and å come last, and aa is å. */
export function sortKeyNb(name: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`replace(translate(${sortKey(name)}, '{|}', '}{|'), 'aa', '}')`
}
