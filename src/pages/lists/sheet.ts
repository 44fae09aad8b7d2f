import type { Request, Response } from 'express'
import type { Language } from '../../presentation/language.ts'

/** The cells of a row, all text: the numbers of merchants and sales units are names, not amounts. */
export type Cells = readonly string[]

/** The content of a download: all rows that the list's filter finds, in its order. */
export type Sheet = {
  /** The list's name in the user's language. */
  readonly title: string
  readonly headings: Cells
  /** The rows in batches, read only as fast as the browser receives them. */
  readonly batches: AsyncIterable<readonly Cells[]>
}

/** Makes the sheet of a list for a request. @throws BadRequestError for an invalid query */
export type SheetOf = (req: Request, res: Response) => Promise<Sheet>

/** A column of a download: the message of its heading, and its text; no text when it is unknown. */
export type ExportColumn<Row> = {
  readonly label: string
  readonly cell: (row: Row, language: Language) => string | null | undefined
}

/** The sheet with these columns, titled and headed in the user's language. */
export function sheetOf<Row>(
  language: Language,
  title: string,
  columns: readonly ExportColumn<Row>[],
  rows: AsyncIterable<readonly Row[]>,
): Sheet {
  const headings = columns.map(({ label }) => language.t(label))
  return { title: language.t(title), headings, batches: cellsOf(language, columns, rows) }
}

async function* cellsOf<Row>(
  language: Language,
  columns: readonly ExportColumn<Row>[],
  batches: AsyncIterable<readonly Row[]>,
): AsyncGenerator<Cells[]> {
  for await (const rows of batches) yield rows.map((row) => columns.map(({ cell }) => cell(row, language) ?? ''))
}

const batchSize = 500

/** Reads the rows of these keys in batches; a row removed since the keys were found is left out. */
export async function* inBatches<Row>(
  keys: readonly string[],
  read: (some: readonly string[]) => Promise<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  for (let start = 0; start < keys.length; start += batchSize) yield read(keys.slice(start, start + batchSize))
}

/** Rows that are all in memory, as one batch. */
export async function* atOnce<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows
}
