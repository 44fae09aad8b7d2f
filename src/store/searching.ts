import { type RawBuilder, sql } from 'kysely'
import { type Page, pageSize } from '../paging.ts'
import type { Handle } from './database.ts'

/** More matches than this are not counted: "more than 1,000". */
const mostCounted = 1000

/** Digits of an identifier are found however somebody spaced them. */
const spacedDigits = /^\d[\d ]*\d$/

/**
 * The pattern that finds `q` anywhere, as an SQL expression. The database folds it as it folds `search_text`, so
 * that both agree about case.
 */
const patternOf = (q: string): RawBuilder<string> => {
  const wanted = spacedDigits.test(q) ? q.replaceAll(' ', '') : q
  const escaped = wanted.replaceAll(/[\\%_]/g, String.raw`\$&`)
  return sql<string>`'%' || lower(normalize(${escaped}::text)) || '%'`
}

/** What to look for, where and in which order. Column names are of the table; `where` must hold for all rows. */
export type Search = {
  readonly table: string
  readonly where: RawBuilder<boolean>
  readonly q: string
  /** What the index of the order has, such as `sort_key, key`. */
  readonly order: RawBuilder<unknown>
  readonly page: number
  /** How many rows there are without `q`, where that is known without counting. */
  readonly total?: number | undefined
}

type Found = { key: string; position: number }

/**
 * One page of keys, in order. Few matches are found by the trigram index and sorted; many are found by walking the
 * order until the page is full, since a sort of all would take longer.
 */
export const findKeys = async (db: Handle, search: Search): Promise<Page<string>> => {
  const { table, where, q, order, page, total } = search
  const offset = (page - 1) * pageSize
  const from = sql.table(table)

  const walk = async (matching: RawBuilder<boolean>): Promise<string[]> => {
    const { rows } = await sql<Found>`
      select key from ${from} where ${where} and ${matching}
      order by ${order} limit ${pageSize + 1} offset ${offset}`.execute(db)
    return rows.map(({ key }) => key)
  }
  const pageOf = (found: readonly string[], all: number, more: boolean): Page<string> => {
    const rows = found.slice(0, pageSize)
    return {
      rows,
      total: all,
      more,
      number: page,
      hasNext: found.length > pageSize,
      from: rows.length === 0 ? 0 : offset + 1,
      to: offset + rows.length,
    }
  }

  if (q === '' && total !== undefined) return pageOf(await walk(sql`true`), total, false)

  const like = q === '' ? sql<boolean>`true` : sql<boolean>`search_text like ${patternOf(q)}`
  const { rows: matches } = await sql<Found & { count: number }>`
    with matching as materialized (
      select * from ${from} where ${where} and ${like} limit ${mostCounted + 1}
    ), counted as (select count(*)::int as count from matching)
    select count, key from counted left join (
      select key, row_number() over (order by ${order}) as position from matching
      where (select count from counted) <= ${mostCounted}
      order by position limit ${pageSize + 1} offset ${offset}
    ) found on true order by position`.execute(db)
  const count = matches[0]?.count ?? 0
  if (count <= mostCounted)
    return pageOf(
      matches.flatMap(({ key }) => key ?? []),
      count,
      false,
    )
  // Not by the trigrams, which the empty text keeps the planner from: it would sort all that match.
  const unindexed = q === '' ? sql<boolean>`true` : sql<boolean>`search_text || '' like ${patternOf(q)}`
  return pageOf(await walk(unindexed), mostCounted, true)
}
