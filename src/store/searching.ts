import { type RawBuilder, sql } from 'kysely'
import { merchantIdentifier } from '../domain/business-identifier.ts'
import type { Page, PageSize, Sorting } from '../domain/paging.ts'
import { searchTerms } from '../domain/search-terms.ts'
import type { Handle } from './database.ts'

/** Up to so many matches are sorted by the statement that counts them. */
const mostSorted = 1000
/** Matches are counted up to this where that is cheap; above it pages show "more than 20,000". */
const mostCounted = 20_000
/** The number of rows scanned in order before all matches are sorted instead. */
const mostScanned = 30_000

/** A search in one table. Column names are of the table; `where` must hold for all rows. */
export type Search = {
  readonly table: string
  readonly where: RawBuilder<boolean>
  readonly q: string
  /** The columns of the index for this order, such as `sort_key, key`, and the columns in it beside `key`. */
  readonly order: RawBuilder<unknown>
  readonly columns: RawBuilder<unknown>
  readonly page: number
  readonly size: PageSize
  /** The number of matches, when known. */
  readonly total?: number | undefined
  /** The number of rows without `q` and filters, when known: texts in long lists are not counted far. */
  readonly listTotal?: number | undefined
}

/**
 * Columns that the API may leave empty. Others are not listed, as an ordered index cannot serve `nulls last` backwards.
 */
const nullable = new Set([
  'merchant_sort_key',
  'scheme',
  'business_id',
  'product_type',
  'product_order_type',
  'expires_at',
  'market',
])

/** Sort keys of names, which have another column for the order of letters in Norwegian and Danish. */
const sortKeys = new Set(['sort_key', 'merchant_sort_key', 'sales_unit_sort_key'])
const languagesOfNb = new Set<string | undefined>(['nb', 'da'])

/**
 * Sorts by these columns and then by `key`, all in one direction; missing values come last either way. Names are in the
 * order of the language.
 */
export function sortedBy(
  columns: readonly string[],
  { descending, language }: Pick<Sorting, 'descending' | 'language'>,
): Pick<Search, 'order' | 'columns'> {
  const refs = columns.map((column) =>
    sql.ref(sortKeys.has(column) && languagesOfNb.has(language) ? `${column}_nb` : column),
  )
  const terms = [...columns, 'key'].map((column, at) => {
    const direction = descending ? (nullable.has(column) ? sql`desc nulls last` : sql`desc`) : sql`asc`
    return sql`${refs[at] ?? sql.ref('key')} ${direction}`
  })
  return { order: sql`${sql.join(terms)}`, columns: sql.join(refs) }
}

/** SQL: the column has this value; an empty value matches all. */
export function isValue(column: string, value: string): RawBuilder<boolean> {
  return value === '' ? sql<boolean>`true` : sql<boolean>`${sql.ref(column)} = ${value}`
}

/** SQL: the record is of the merchant with this merchantKey(); an empty key matches all. */
export function isOfMerchant(key: string): RawBuilder<boolean> {
  if (key === '') return sql<boolean>`true`
  const { scheme, id } = merchantIdentifier(key)
  return sql<boolean>`scheme = ${scheme} and business_id = ${id}`
}

/** SQL: a relation of keys and their positions, for the statement that reads the rows. */
export type Found = RawBuilder<{ key: string; position: number }>

/** A relation of these keys in their order. */
export function inThisOrder(keys: readonly string[]): Found {
  return sql`(select key, position from unnest(${keys}::text[]) with ordinality as given (key, position))`
}

type Key = { key: string }

/** SQL: `search_text` has every term of `q`; an empty `q` matches all. */
export function matches(q: string): RawBuilder<boolean> {
  const terms = searchTerms(q).map((term) => sql`(${sql.join(term.map(containsAll), sql` or `)})`)
  return terms.length === 0 ? sql<boolean>`true` : sql<boolean>`(${sql.join(terms, sql` and `)})`
}

function containsAll(texts: readonly string[]): RawBuilder<unknown> {
  const patterns = texts.map((text) => `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`)
  return sql.join(
    patterns.map((pattern) => sql`search_text like ${pattern}`),
    sql` and `,
  )
}

/** All matching keys in order, as of one moment; for exports. */
export async function findAllKeys(
  db: Handle,
  { table, where, q, order }: Pick<Search, 'table' | 'where' | 'q' | 'order'>,
): Promise<string[]> {
  // As one value: parsing a hundred thousand rows would keep the process busy for a tenth of a second.
  const { rows } = await sql<{ keys: string[] | null }>`
    select json_agg(key) as keys from (
      select key from ${sql.table(table)} where ${where} and ${matches(q)} order by ${order}) sorted`.execute(db)
  return rows[0]?.keys ?? []
}

/**
 * One page, in order. A page past the end is the last page.
 * @param rowsOf reads the rows of the found keys, in that order
 */
export async function findPage<Row>(
  db: Handle,
  search: Search,
  rowsOf: (found: Found) => Promise<Row[]>,
): Promise<Page<Row>> {
  const found = await findAskedPage(db, search, rowsOf)
  if (found.rows.length > 0 || search.page === 1) return found
  const total = await countMatches(db, search, (search.page - 1) * search.size)
  return findAskedPage(db, { ...search, page: Math.max(1, Math.ceil(total / search.size)), total }, rowsOf)
}

/** The number of matches alone, as far as a page of them counts without a text. */
export async function countFound(
  db: Handle,
  search: Pick<Search, 'table' | 'where' | 'q'>,
): Promise<{ readonly total: number; readonly more: boolean }> {
  const count = await countMatches(db, search, mostCounted + 1)
  return { total: Math.min(count, mostCounted), more: count > mostCounted }
}

/** The number of matches, counted up to `most`. */
async function countMatches(db: Handle, search: Pick<Search, 'table' | 'where' | 'q'>, most: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (${matchesUpTo(search, most)}) counted`.execute(db)
  return rows[0]?.count ?? 0
}

function matchesUpTo({ table, where, q }: Pick<Search, 'table' | 'where' | 'q'>, most: number): RawBuilder<unknown> {
  return sql`select from ${sql.table(table)} where ${where} and ${matches(q)} limit ${most}`
}

/**
 * The page that is asked for. Few matches are found by the trigram index and sorted. With many matches, a short scan in
 * order usually fills the page; otherwise all are sorted, because a longer scan is slower when the matches are at its
 * end.
 */
async function findAskedPage<Row>(
  db: Handle,
  search: Search,
  rowsOf: (found: Found) => Promise<Row[]>,
): Promise<Page<Row>> {
  const { table, where, q, order, columns, page, size, listTotal = Infinity } = search
  const offset = (page - 1) * size
  const from = sql.table(table)
  const limits = sql`limit ${size + 1} offset ${offset}`
  const like = matches(q)
  let { total } = search
  let isMore = false

  const pageOf = (rows: readonly Row[]): Page<Row> => {
    const shown = rows.slice(0, size)
    const hasNext = rows.length > size
    const isLast = shown.length > 0 && !hasNext
    return {
      rows: shown,
      total: isLast ? offset + shown.length : (total ?? 0),
      more: isMore && !isLast,
      number: page,
      hasNext,
      from: shown.length === 0 ? 0 : offset + 1,
      to: offset + shown.length,
    }
  }
  const given = async (keys: readonly string[]): Promise<Row[]> => (keys.length === 0 ? [] : rowsOf(inThisOrder(keys)))

  const inOrder = (keys: RawBuilder<Key>): Found =>
    sql`(select key, row_number() over () as position from (${keys}) keys)`
  const all = inOrder(sql<Key>`select key from ${from} where ${where} order by ${order} ${limits}`)

  if (total === undefined) {
    const most = q === '' || listTotal <= mostCounted ? mostCounted : mostSorted
    const near = sql`(select count(*) from matching)`
    const far = most === mostSorted ? near : sql`(select count(*) from (${matchesUpTo(search, most + 1)}) far)`
    const { rows: counted } = await sql<{ key: string | null; count: number }>`
      with matching as materialized (
        select key, ${columns} from ${from} where ${where} and ${like} limit ${mostSorted + 1}
      ), counted as (select (case when ${near} <= ${mostSorted} then ${near} else ${far} end)::int as count)
      select count, key from counted left join (
        select key, row_number() over (order by ${order}) as position from matching
        where (select count from counted) <= ${mostSorted}
        order by position ${limits}
      ) found on true order by position`.execute(db)
    total = counted[0]?.count ?? 0
    if (total <= mostSorted) return pageOf(await given(counted.flatMap(({ key }) => key ?? [])))
    isMore = total > most
    total = Math.min(total, most)
  }
  if (q === '') return pageOf(await rowsOf(all))
  const ofMany = async (keys: RawBuilder<Key>): Promise<Page<Row>> => pageOf(await rowsOf(inOrder(keys)))

  if (isMore || total > mostSorted) {
    const scanned = await ofMany(sql<Key>`
      select key from (
        select key, search_text, ${columns} from ${from} where ${where} order by ${order} limit ${mostScanned}
      ) beginning where ${like} order by ${order} ${limits}`)
    if (scanned.hasNext) return scanned
  }
  // `offset 0` keeps the planner from scanning the whole index in order.
  return ofMany(sql<Key>`
    select key from (select key, ${columns} from ${from} where ${where} and ${like} offset 0) matching
    order by ${order} ${limits}`)
}
