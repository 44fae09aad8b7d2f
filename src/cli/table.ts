/**
 * External text made safe for a terminal: one line, without control characters (escape sequences), direction marks and
 * invisible characters.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
}

const graphemes = new Intl.Segmenter()

/** Aligned columns under headings, one line a row; every cell is made printable. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows].map((row) => row.map(printable))
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ''))))
  const pad = (cell: string, column: number) => cell + ' '.repeat((widths[column] ?? 0) - width(cell))
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')
}

function width(cell: string): number {
  return [...graphemes.segment(cell)].length
}
