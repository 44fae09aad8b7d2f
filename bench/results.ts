/** One figure, with what it must be and whether it is; a figure without a requirement has none. */
export type Result = {
  readonly database: string
  readonly what: string
  readonly figure: string
  readonly must: string
  readonly met: boolean | undefined
}

const results: Result[] = []

export const allResults = (): readonly Result[] => results

const show = (value: number, unit: string): string => {
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) < 10 ? 2 : 1
  return `${value.toFixed(digits)}${unit}`
}

/** What somebody measures on one database. */
export type Reporter = {
  /** A figure that must be at most `limit`. */
  readonly atMost: (what: string, value: number, limit: number, unit?: string, note?: string) => void
  readonly atLeast: (what: string, value: number, limit: number, unit?: string, note?: string) => void
  /** A figure without a requirement. */
  readonly tell: (what: string, figure: string) => void
}

export const reporter = (database: string): Reporter => {
  const add = (result: Omit<Result, 'database'>): void => {
    results.push({ database, ...result })
    const verdict = result.met === undefined ? '' : result.met ? 'ok' : 'NOT MET'
    console.log(`  ${result.what}: ${result.figure} ${verdict}`)
  }
  const judged =
    (sign: '≤' | '≥') =>
    (what: string, value: number, limit: number, unit = '', note = ''): void => {
      const met = sign === '≤' ? value <= limit : value >= limit
      const figure = `${show(value, unit)}${note && ` (${note})`}`
      add({ what, figure, must: `${sign} ${limit}${unit}`, met })
    }
  return {
    atMost: judged('≤'),
    atLeast: judged('≥'),
    tell: (what, figure) => add({ what, figure, must: '', met: undefined }),
  }
}

/** All results as a plain table. */
export const tableOf = (rows: readonly Result[]): string => {
  const cells = rows.map(({ database, what, figure, must, met }) => [
    database,
    what,
    figure,
    must,
    met === undefined ? '' : met ? 'ok' : 'NOT MET',
  ])
  const all = [['database', 'what', 'figure', 'must', ''], ...cells]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
