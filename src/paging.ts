/** How many rows a list shows at once. */
export const pageSize = 25

/** One page of a list. `from` and `to` count from 1; both are 0 when there is nothing. */
export type Page<Row> = {
  readonly rows: readonly Row[]
  readonly total: number
  readonly number: number
  readonly pageCount: number
  readonly from: number
  readonly to: number
}

/** Cuts page `number` (from 1) out of all rows; beyond the last page it is empty. There is always a page 1. */
export const paginate = <Row>(all: readonly Row[], number: number): Page<Row> => {
  const start = (number - 1) * pageSize
  const rows = all.slice(start, start + pageSize)
  return {
    rows,
    total: all.length,
    number,
    pageCount: Math.max(1, Math.ceil(all.length / pageSize)),
    from: rows.length === 0 ? 0 : start + 1,
    to: start + rows.length,
  }
}
