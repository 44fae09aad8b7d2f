import { Readable } from 'node:stream'
import { stringify } from 'csv-stringify/sync'
import type { Cells, Sheet } from './sheet.ts'

/** How a sheet becomes a file. */
export type Format = {
  readonly extension: string
  /** Media type. */
  readonly type: string
  readonly write: (sheet: Sheet, language: string) => Promise<Readable>
}

/** Where a comma separates decimals, spreadsheets take a semicolon between cells. */
function delimiterOf(language: string): string {
  return language === 'en' ? ',' : ';'
}

async function* csvOf({ headings, batches }: Sheet, delimiter: string): AsyncGenerator<string> {
  const lines = (rows: readonly Cells[], bom: boolean): string =>
    // Whatever a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection).
    stringify(rows as string[][], { bom, delimiter, record_delimiter: 'windows', escape_formulas: true })
  yield lines([headings], true)
  for await (const rows of batches) yield lines(rows, false)
}

async function* rowsOf({ headings, batches }: Sheet): AsyncGenerator<string[]> {
  yield [...headings]
  for await (const rows of batches) for (const row of rows) yield [...row]
}

/** RFC 4180 with a byte order mark, without which Excel takes UTF-8 for something else. */
export const csv: Format = {
  extension: 'csv',
  type: 'text/csv; charset=utf-8',
  write: async (sheet, language) => Readable.from(csvOf(sheet, delimiterOf(language))),
}

/** Office Open XML. All cells are strings by their type, which no spreadsheet takes for formulas. */
export const xlsx: Format = {
  extension: 'xlsx',
  type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  write: async (sheet) => {
    // Loaded by the first who wants one: most days nobody does.
    const { writeXlsxStream } = await import('hucre/xlsx')
    return Readable.fromWeb(
      writeXlsxStream(rowsOf(sheet), {
        // A spreadsheet's name for a sheet is at most 31 characters, without these.
        name: sheet.title.replaceAll(/[[\]:*?/\\]/g, ' ').slice(0, 31),
        freezePane: { rows: 1 },
      }),
    )
  },
}
