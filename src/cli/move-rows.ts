import { z } from 'zod'
import type { GrantMove } from '../store/grants.ts'
import { parseCsv, quoted } from './csv-file.ts'

/** The old and the new user ID, and the line of the file that names them. */
export type Move = GrantMove & { readonly line?: number }

const columns = ['old_user_id', 'new_user_id'] as const

/**
 * Parses a CSV file of user IDs: a heading, then the old and the new ID of a user a line.
 * @returns all errors at once, each with its line
 */
export function parseMoves(text: string): { readonly moves: readonly Move[]; readonly problems: readonly string[] } {
  const { lines, width, problems: wrong } = parseCsv(text, { columns, required: columns })
  if (wrong.length > 0) return { moves: [], problems: wrong }
  const problems: string[] = []
  const lineOfOld = new Map<string, number>()
  const moves = lines.flatMap(({ line, length, cell }): Move[] => {
    const problem = (message: string): void => void problems.push(`line ${line}: ${message}`)
    if (length > width) problem(`has ${length} columns, the heading has ${width}`)
    const [from, to] = columns.map((name) => {
      const { data } = z.uuid().safeParse(cell(name).toLowerCase())
      if (data === undefined) problem(`${quoted(cell(name))} is not a user ID`)
      return data
    })
    if (from === undefined || to === undefined) return []
    if (from === to) problem('the old and the new user ID are the same')
    const first = lineOfOld.get(from)
    if (first === undefined) lineOfOld.set(from, line)
    else problem(`moves the same user as line ${first}`)
    return [{ line, from, to }]
  })
  // What a chain means would depend on the order of its lines.
  for (const { line, from, to } of moves) {
    const next = lineOfOld.get(to)
    if (next !== undefined && from !== to) problems.push(`line ${line}: moves to a user that line ${next} moves away`)
  }
  return { moves, problems }
}
