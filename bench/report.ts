type Row = readonly [what: string, figure: string, limit: string, result: string]

const results: Row[] = []

/** Reports a figure; the run fails when it exceeds `limit`. */
export function atMost(what: string, value: number, limit: number, unit = '', note = ''): void {
  const figure = `${Number(value.toPrecision(3))}${unit}${note && ` (${note})`}`
  const isMet = value <= limit
  if (!isMet) process.exitCode = 1
  add([what, figure, `≤ ${limit}${unit}`, isMet ? 'met' : 'NOT MET'])
}

function add(row: Row): void {
  results.push(row)
  console.log(`  ${row.join('  ').trimEnd()}`)
}

/** Reports a figure without a limit. */
export function tell(what: string, figure: string): void {
  add([what, figure, '', ''])
}

/** All results as a plain table. */
export function table(): string {
  const rows = [['what', 'figure', 'limit', ''], ...results]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const cells = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)))
  return cells.map((row) => row.join('  ').trimEnd()).join('\n')
}

/** The quantile of the values for a share from 0 to 1; NaN without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** The median of the values; NaN without values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}
