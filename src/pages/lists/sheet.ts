import type { Request, Response } from 'express'
import type { Language } from '../../presentation/language.ts'

/** The cells of a row, all text: the numbers of merchants and sales units are names, not amounts. */
export type Cells = readonly string[]

/** Rows in batches, of which one is read at a time, and their number. */
export type Rows<Row> = {
  /** Known before a row is read; a row that is removed meanwhile is left out. */
  readonly count: number
  readonly batches: AsyncIterable<readonly Row[]>
}

/** What a column holds when it is more than text; a cell that is none of its kind stays text. */
export type ColumnKind = 'date' | 'percentage'

/** The content of a download: all rows that the list's filter finds, in its order. */
export type Sheet = {
  /** The list's name in the user's language. */
  readonly title: string
  /** The filter in words, for the name of the file; '' without one. */
  readonly filter: string
  readonly headings: Cells
  readonly kinds: readonly (ColumnKind | undefined)[]
  /** Finds the rows; the batches are read only as fast as the browser receives them. */
  readonly find: () => Promise<Rows<Cells>>
}

/** Makes the sheet of a list for a request, without reading its rows. @throws BadRequestError for an invalid query */
export type SheetOf = (req: Request, res: Response) => Promise<Sheet>

/** A column of a download: the message of its heading, and its text; no text when it is unknown. A date is ISO 8601. */
export type ExportColumn<Row> = {
  readonly label: string
  readonly kind?: ColumnKind
  readonly cell: (row: Row, language: Language) => string | null | undefined
}

/** The sheet with these columns, titled and headed in the user's language. */
export function sheetOf<Row>(
  language: Language,
  title: string,
  filter: string,
  columns: readonly ExportColumn<Row>[],
  find: () => Promise<Rows<Row>>,
): Sheet {
  return {
    title: language.t(title),
    filter,
    kinds: columns.map(({ kind }) => kind),
    headings: columns.map(({ label }) => language.t(label)),
    find: async () => {
      const { count, batches } = await find()
      return { count, batches: cellsOf(language, columns, batches) }
    },
  }
}

async function* cellsOf<Row>(
  language: Language,
  columns: readonly ExportColumn<Row>[],
  batches: AsyncIterable<readonly Row[]>,
): AsyncGenerator<Cells[]> {
  for await (const rows of batches) yield rows.map((row) => columns.map(({ cell }) => cell(row, language) ?? ''))
}

/** Each batch occupies the process for 2 ms, in which no page is rendered. */
const batchSize = 50

/** Reads the rows of these keys in batches; a row removed since the keys were found is left out. */
export function inBatches<Row>(
  keys: readonly string[],
  read: (some: readonly string[]) => Promise<readonly Row[]>,
): Rows<Row> {
  return { count: keys.length, batches: batchesOf(keys, read) }
}

/** Rows that are all in memory. */
export function inMemory<Row>(rows: readonly Row[]): Rows<Row> {
  return { count: rows.length, batches: batchesOf(rows, async (some) => some) }
}

async function* batchesOf<Key, Row>(
  keys: readonly Key[],
  read: (some: readonly Key[]) => Promise<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  for (let start = 0; start < keys.length; start += batchSize) yield read(keys.slice(start, start + batchSize))
}
