type Row = readonly [what: string, figure: string, must: string, verdict: string]

const results: Row[] = []

/** A figure that must be at most `limit`, or the run fails. */
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

/** A figure without a requirement. */
export function tell(what: string, figure: string): void {
  add([what, figure, '', ''])
}

/** Everything measured so far as a plain table. */
export function table(): string {
  const rows = [['what', 'figure', 'must', ''], ...results]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const cells = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)))
  return cells.map((row) => row.join('  ').trimEnd()).join('\n')
}

/** The value below which this share of the values lies, 0 to 1; NaN without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}
