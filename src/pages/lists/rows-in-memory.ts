import { sortKey } from '../../store/sort-key.ts'
import type { Page, PageAsked } from '../../domain/paging.ts'

/** The rows with a text that contains `q`, ignoring case; '' matches all. */
export function rowsWith<Row>(
  rows: readonly Row[],
  q: string,
  textsOf: (row: Row) => readonly (string | undefined)[],
): Row[] {
  return rows.filter((row) => textsOf(row).some((text) => folded(text ?? '').includes(folded(q))))
}

function folded(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

/** The rows sorted by a text, as the store sorts names. The sort is stable, and rows without the text come last. */
export function rowsSorted<Row>(
  rows: readonly Row[],
  textOf: (row: Row) => string | undefined,
  { descending }: { readonly descending: boolean },
): Row[] {
  const keyed = rows.map((row) => ({ row, key: sortKey(textOf(row) ?? '') }))
  const order = descending ? -1 : 1
  function compare(a: string, b: string): number {
    if (a === b) return 0
    if (a === '' || b === '') return a === '' ? 1 : -1
    return a < b ? -order : order
  }
  return keyed.toSorted((a, b) => compare(a.key, b.key)).map(({ row }) => row)
}

/** One page of rows that are all in memory. */
export function pageOf<Row>(rows: readonly Row[], { page: number, size }: Pick<PageAsked, 'page' | 'size'>): Page<Row> {
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
