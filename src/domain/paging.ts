/** The page sizes of lists; the first is the default. */
export const pageSizes = [25, 50, 100] as const
/** A page size. */
export type PageSize = (typeof pageSizes)[number]

/**
 * The last row that pages of a list reach. Behind it a page costs as much as all pages before it; searches, filters and
 * downloads reach every row.
 */
export const lastRow = 10_000

/** One page of a list. `from` and `to` count from 1; both are 0 when there is nothing. */
export type Page<Row> = {
  readonly rows: readonly Row[]
  /** The number of matches; with `more` a lower bound, as counting stops there. */
  readonly total: number
  readonly more: boolean
  readonly number: number
  readonly hasNext: boolean
  readonly from: number
  readonly to: number
}

/** The sorted column of a list, and the direction. */
export type Sorting<Column extends string = string> = {
  readonly column: Column
  readonly descending: boolean
  /** The language whose order of letters names are in. */
  readonly language?: string | undefined
}

/** The requested page of a list. */
export type PageAsked<Column extends string = string> = {
  readonly page: number
  readonly size: PageSize
  readonly sort: Sorting<Column>
}
