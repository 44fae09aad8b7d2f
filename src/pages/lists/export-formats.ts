import { Readable } from 'node:stream'
import { csvText, xlsxText } from './cell-text.ts'
import type { Cells } from './sheet.ts'

/** What a file consists of. */
export type Content = {
  readonly title: string
  readonly headings: Cells
  readonly batches: AsyncIterable<readonly Cells[]>
}

/** A file format for sheets. */
export type Format = {
  readonly extension: string
  /** Media type. */
  readonly type: string
  readonly write: (content: Content, language: string) => Promise<Readable>
}

/** RFC 4180 with every field quoted, and a byte order mark, which Excel needs to recognise UTF-8. */
export const csv: Format = {
  extension: 'csv',
  type: 'text/csv; charset=utf-8',
  write: async (content, language) => Readable.from(csvOf(content, delimiterOf(language))),
}

/** Where a comma separates decimals, spreadsheets take a semicolon between cells. */
function delimiterOf(language: string): string {
  return language === 'en' ? ',' : ';'
}

async function* csvOf({ headings, batches }: Content, delimiter: string): AsyncGenerator<string> {
  const field = (text: string): string => `"${csvText(text).replaceAll('"', '""')}"`
  const line = (cells: Cells): string => `${cells.map(field).join(delimiter)}\r\n`
  yield `\uFEFF${line(headings)}`
  for await (const rows of batches) yield rows.map(line).join('')
}

/** Office Open XML. All cells have the type string, which spreadsheets never run as formulas. */
export const xlsx: Format = {
  extension: 'xlsx',
  type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  write: async (content) => {
    // Loaded on first use, because few processes ever need it.
    const { writeXlsxStream } = await import('hucre/xlsx')
    return Readable.fromWeb(
      writeXlsxStream(rowsOf(content), {
        // Sheet names have at most 31 characters, and none of these.
        name: content.title.replaceAll(/[[\]:*?/\\]/g, ' ').slice(0, 31),
        freezePane: { rows: 1 },
      }),
    )
  },
}

async function* rowsOf({ headings, batches }: Content): AsyncGenerator<string[]> {
  yield [...headings]
  for await (const rows of batches) for (const cells of rows) yield cells.map(xlsxText)
}
