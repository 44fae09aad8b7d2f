import { Readable } from 'node:stream'
import { stringify } from 'csv-stringify/sync'
import type { Cells, Sheet } from './sheet.ts'

/** A file format for sheets. */
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
    // The library puts an apostrophe before text that a spreadsheet would run as a formula (OWASP, CSV injection).
    stringify(rows as string[][], { bom, delimiter, record_delimiter: 'windows', escape_formulas: true })
  yield lines([headings], true)
  for await (const rows of batches) yield lines(rows, false)
}

async function* rowsOf({ headings, batches }: Sheet): AsyncGenerator<string[]> {
  yield [...headings]
  for await (const rows of batches) for (const row of rows) yield [...row]
}

/** RFC 4180 with a byte order mark, which Excel needs to recognise UTF-8. */
export const csv: Format = {
  extension: 'csv',
  type: 'text/csv; charset=utf-8',
  write: async (sheet, language) => Readable.from(csvOf(sheet, delimiterOf(language))),
}

/** Office Open XML. All cells have the type string, which spreadsheets never run as formulas. */
export const xlsx: Format = {
  extension: 'xlsx',
  type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  write: async (sheet) => {
    // Loaded on first use, because few processes ever need it.
    const { writeXlsxStream } = await import('hucre/xlsx')
    return Readable.fromWeb(
      writeXlsxStream(rowsOf(sheet), {
        // Sheet names have at most 31 characters, and none of these.
        name: sheet.title.replaceAll(/[[\]:*?/\\]/g, ' ').slice(0, 31),
        freezePane: { rows: 1 },
      }),
    )
  },
}
