import { z } from 'zod'
import { msnPattern } from '../domain/organisation.ts'
import type { Assignment } from '../store/price-package-assignments.ts'
import { isDay } from './arguments.ts'
import { parseCsv, quoted } from './csv-file.ts'

/** One parsed line of the file. */
export type ParsedAssignment = Assignment & { readonly line: number }

const columns = ['msn', 'price_package_id', 'from'] as const
const longestId = 100

/**
 * Parses a CSV file of price packages: a heading, then a sales unit, its price package and the first day a line.
 * @returns all errors at once, each with its line
 */
export function parseAssignments(text: string): {
  readonly assignments: readonly ParsedAssignment[]
  readonly problems: readonly string[]
} {
  const { lines, width, problems: wrong } = parseCsv(text, { columns, required: columns })
  if (wrong.length > 0) return { assignments: [], problems: wrong }
  const problems: string[] = []
  const seen = new Map<string, number>()
  const assignments = lines.flatMap(({ line, length, cell }): ParsedAssignment[] => {
    const before = problems.length
    const problem = (message: string): void => void problems.push(`line ${line}: ${message}`)
    const [msn, from] = [cell('msn'), cell('from')]
    const id = cell('price_package_id')
    // UUIDs are stored in lower case.
    const pricePackageId = z.guid().safeParse(id).success ? id.toLowerCase() : id
    if (length > width) problem(`has ${length} columns, the heading has ${width}`)
    if (!msnPattern.test(msn)) problem(`${quoted(msn)} is not an MSN: 4 to 10 digits`)
    if (pricePackageId === '' || pricePackageId.length > longestId)
      problem(`${quoted(pricePackageId)} is not a price package ID`)
    if (!isDay(from)) problem(`${quoted(from)} is not a day such as 2026-12-31`)
    const first = seen.get(`${msn} ${from}`)
    if (first !== undefined) problem(`is for the same sales unit and day as line ${first}`)
    else seen.set(`${msn} ${from}`, line)
    return problems.length > before ? [] : [{ line, msn, pricePackageId, from }]
  })
  return { assignments: problems.length > 0 ? [] : assignments, problems }
}
