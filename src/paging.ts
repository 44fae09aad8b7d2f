/** How many rows a list shows at once. */
export const pageSize = 25

/** One page of a list. `from` and `to` count from 1; both are 0 when there is nothing. */
export type Page<Row> = {
  readonly rows: readonly Row[]
  /** How many there are in all; with `more`, at least so many: nobody counts further. */
  readonly total: number
  readonly more: boolean
  readonly number: number
  readonly hasNext: boolean
  readonly from: number
  readonly to: number
}
