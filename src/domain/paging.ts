/** How many rows a list may show at once; the first unless asked for another. */
export const pageSizes = [25, 50, 100] as const
export type PageSize = (typeof pageSizes)[number]

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

/** Which column a list is in the order of, and which way round. */
export type Sorting<Column extends string = string> = {
  readonly column: Column
  readonly descending: boolean
}

/** Which page of how many rows, in which order. */
export type PageAsked<Column extends string = string> = {
  readonly page: number
  readonly size: PageSize
  readonly sort: Sorting<Column>
}
