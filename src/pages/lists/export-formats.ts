import { Readable } from 'node:stream'
import { csvText, xlsxText } from './cell-text.ts'
import type { Cells, ColumnKind } from './sheet.ts'

/** What a file consists of. */
export type Content = {
  readonly title: string
  readonly headings: Cells
  readonly kinds: readonly (ColumnKind | undefined)[]
  /** The number of rows, at most. */
  readonly count: number
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

/**
 * The most rows of a workbook that is made in memory, which occupies the process for 50 ms; a longer one is streamed,
 * without what the library cannot stream.
 */
const mostInMemory = 2000

/**
 * Office Open XML: dates and percentages are numbers with a format, all other cells have the type string, which
 * spreadsheets never run as formulas. The head is bold and has a filter, except in a workbook that is streamed.
 */
export const xlsx: Format = {
  extension: 'xlsx',
  type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  write: async (content) => {
    // Loaded on first use, because few processes ever need it.
    const { cellRef, writeXlsx, writeXlsxStream } = await import('hucre/xlsx')
    const { title, headings, kinds, count } = content
    const sheet = {
      // Sheet names have at most 31 characters, and none of these.
      name: title.replaceAll(/[[\]:*?/\\]/g, ' ').slice(0, 31),
      freezePane: { rows: 1 },
      columns: headings.map((heading, at) => ({
        width: Math.max(heading.length + 4, kinds[at] ? 12 : 22),
        ...(kinds[at] && { numFmt: kinds[at] === 'date' ? 'yyyy-mm-dd' : '0.00%' }),
      })),
    }
    if (count > mostInMemory) return Readable.fromWeb(writeXlsxStream(rowsOf(content), sheet))
    const rows: (string | number | Date)[][] = []
    for await (const row of rowsOf(content)) rows.push(row)
    const bold = headings.map((value, at) => [`0,${at}`, { value, style: { font: { bold: true } } }] as const)
    const range = `A1:${cellRef(rows.length - 1, headings.length - 1)}`
    const file = await writeXlsx({ sheets: [{ ...sheet, rows, cells: new Map(bold), autoFilter: { range } }] })
    return Readable.from([Buffer.from(file)])
  },
}

async function* rowsOf({ headings, kinds, batches }: Content): AsyncGenerator<(string | number | Date)[]> {
  yield headings.map(xlsxText)
  for await (const rows of batches) for (const cells of rows) yield cells.map((text, at) => valueOf(text, kinds[at]))
}

/** The cell's value by the kind of its column. */
function valueOf(text: string, kind: ColumnKind | undefined): string | number | Date {
  if (kind === 'date' && /^\d{4}-\d{2}-\d{2}/.test(text)) {
    const date = new Date(`${text.slice(0, 10)}T00:00:00Z`)
    if (!Number.isNaN(date.getTime())) return date
  }
  const [, number] = (kind === 'percentage' && /^\s*(\d{1,3}(?:[.,]\d+)?)\s*%\s*$/.exec(text)) || []
  return number === undefined ? xlsxText(text) : Number((Number(number.replace(',', '.')) / 100).toFixed(8))
}
