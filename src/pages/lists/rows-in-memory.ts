import type { Page, PageAsked, Sorting } from '../../domain/paging.ts'
import { hasTerms, searchTerms } from '../../domain/search-terms.ts'

/** The rows whose texts have every term of `q`, as the store finds them; '' matches all. */
export function rowsWith<Row>(
  rows: readonly Row[],
  q: string,
  textsOf: (row: Row) => readonly (string | undefined)[],
): Row[] {
  const terms = searchTerms(q)
  return terms.length === 0 ? [...rows] : rows.filter((row) => hasTerms(terms, textsOf(row)))
}

/** The rows sorted by a text, as the store sorts names. The sort is stable, and rows without the text come last. */
export function rowsSorted<Row>(
  rows: readonly Row[],
  textOf: (row: Row) => string | undefined,
  { descending, language }: Pick<Sorting, 'descending' | 'language'>,
): Row[] {
  const alphabet = language === 'nb' || language === 'da' ? language : 'sv'
  const { compare } = new Intl.Collator(alphabet, { numeric: true, sensitivity: 'base' })
  const order = descending ? -1 : 1
  return rows
    .map((row) => ({ row, text: textOf(row) ?? '' }))
    .toSorted(({ text: a }, { text: b }) => {
      if (a === '' || b === '') return Number(a === '') - Number(b === '')
      return order * compare(a, b)
    })
    .map(({ row }) => row)
}

/** One page of rows that are all in memory. A page past the end is the last page. */
export function pageOf<Row>(rows: readonly Row[], { page, size }: Pick<PageAsked, 'page' | 'size'>): Page<Row> {
  const number = Math.min(page, Math.max(1, Math.ceil(rows.length / size)))
  const offset = (number - 1) * size
  const shown = rows.slice(offset, offset + size)
  return {
    rows: shown,
    total: rows.length,
    more: false,
    number,
    hasNext: rows.length > offset + size,
    from: shown.length === 0 ? 0 : offset + 1,
    to: offset + shown.length,
  }
}
