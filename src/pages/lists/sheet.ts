import type { Request, Response } from 'express'

/** Cells of a row, all of them text: numbers of merchants and sales units are names, not amounts. */
export type Cells = readonly string[]

/** What is downloaded of a list: everything that its filter finds, in its order. */
export type Sheet = {
  /** The list's name in the user's language. */
  readonly title: string
  readonly headings: Cells
  /** Rows as they are read, some at a time; taken from only as fast as they are sent. */
  readonly batches: AsyncIterable<readonly Cells[]>
}

/** Makes the sheet of one list, for what the request asks of it. @throws BadRequestError as the list itself */
export type SheetOf = (req: Request, res: Response) => Promise<Sheet>

const batchSize = 500

/** Rows of keys that were all found at one moment, read some at a time; one that has gone meanwhile is left out. */
export async function* inBatches<Row>(
  keys: readonly string[],
  read: (some: readonly string[]) => Promise<readonly Row[]>,
  cellsOf: (row: Row) => Cells,
): AsyncGenerator<Cells[]> {
  for (let start = 0; start < keys.length; start += batchSize) {
    const rows = await read(keys.slice(start, start + batchSize))
    yield rows.map(cellsOf)
  }
}

/** Rows that are all in memory, as batches. */
export async function* atOnce(rows: readonly Cells[]): AsyncGenerator<readonly Cells[]> {
  yield rows
}
