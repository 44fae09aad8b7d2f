import { CsvError, parse } from 'csv-parse/sync'
import { printable } from './table.ts'

/** A line of a CSV file: its number, the number of its cells, and a cell by the name of its column (`''` without one). */
export type CsvLine<Column extends string> = {
  readonly line: number
  readonly length: number
  readonly cell: (name: Column) => string
}

/**
 * Parses a CSV file with a heading: commas or semicolons, with or without a byte order mark.
 * @returns the lines below the heading, or problems with their line
 */
export function parseCsv<Column extends string>(
  text: string,
  { columns, required }: { readonly columns: readonly Column[]; readonly required: readonly Column[] },
): { readonly lines: readonly CsvLine<Column>[]; readonly width: number; readonly problems: readonly string[] } {
  const refuse = (...problems: string[]) => ({ lines: [], width: 0, problems })
  let rows: Row[]
  try {
    rows = rowsOf(text)
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const { lines: line } = error as { lines?: unknown }
    return refuse(`line ${typeof line === 'number' ? line : 1}: invalid CSV: unbalanced quotes`)
  }
  const [heading, ...rest] = rows
  if (!heading) return refuse('the file is empty')
  const names = heading.record
  const wrong = headingProblems(names, columns, required)
  if (wrong.length > 0) return refuse(...wrong)
  const lines = rest.map(({ record, line }) => ({
    line,
    length: record.length,
    cell: (name: Column): string => record[names.indexOf(name)] ?? '',
  }))
  return { lines, width: names.length, problems: [] }
}

type Row = { readonly record: readonly string[]; readonly line: number }

/** @throws CsvError for unbalanced quotes */
function rowsOf(text: string): Row[] {
  const [heading = ''] = text.split(/[\r\n]/, 1)
  const delimiter = heading.split(';').length > heading.split(',').length ? ';' : ','
  const options = { delimiter, bom: true, trim: true, relax_column_count: true, skip_empty_lines: true }
  const rows = parse(text, { ...options, info: true }) as unknown as {
    record: string[]
    info: { lines: number }
  }[]
  return rows
    .map(({ record, info }) => ({ record, line: info.lines }))
    .filter(({ record }) => record.some((cell) => cell !== ''))
}

/** The errors of the heading. */
function headingProblems(names: readonly string[], columns: readonly string[], required: readonly string[]): string[] {
  return [
    ...required.filter((name) => !names.includes(name)).map((name) => `line 1: the column ${name} is missing`),
    ...names
      .filter((name) => !columns.includes(name))
      .map((name) => `line 1: ${quoted(name)} is not a column: ${columns.join(', ')}`),
    ...names
      .filter((name, index) => names.indexOf(name) !== index)
      .map((name) => `line 1: the column ${quoted(name)} is duplicated`),
  ]
}

/** The value in quotes, shortened to 60 characters. */
export function quoted(value: string): string {
  const text = printable(value)
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`
}
