/**
 * Text from outside, made safe for a terminal: without control characters (escape sequences), without characters
 * that change direction or cannot be seen, and on one line.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
}

const graphemes = new Intl.Segmenter()

/** Rows of text in aligned columns under their headings, every cell made printable; one line a row. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows].map((row) => row.map(printable))
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ''))))
  const pad = (cell: string, column: number) => cell + ' '.repeat((widths[column] ?? 0) - width(cell))
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')
}

function width(cell: string): number {
  return [...graphemes.segment(cell)].length
}
