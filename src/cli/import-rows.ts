import { z } from 'zod'
import { organisationKey } from '../domain/organisation.ts'
import { type Role, roles } from '../domain/role.ts'
import type { GrantKey, GrantTerms } from '../store/grants.ts'
import { isDay, organisationIn } from './arguments.ts'
import { parseCsv, quoted } from './csv-file.ts'
import { printable } from './table.ts'

/** One parsed line of the file. */
export type ParsedGrant = GrantKey & Omit<GrantTerms, 'by'> & { readonly line: number }

const columns = ['user_id', 'organisation', 'role', 'until', 'reason'] as const
const required = ['user_id', 'organisation'] as const
const longestReason = 200

/**
 * Parses a CSV file of grants: a heading, then one complete grant a line (default role: viewer; no `until`: no end).
 * @param known organisationKey() of the organisations in the organisations file
 * @param today `2026-12-31`; earlier days are refused
 * @returns all errors at once, each with its line
 */
export function parseGrants(
  text: string,
  known: { readonly has: (key: string) => boolean },
  today: string,
): { readonly grants: readonly ParsedGrant[]; readonly problems: readonly string[] } {
  const { lines, width, problems: wrong } = parseCsv(text, { columns, required })
  if (wrong.length > 0) return { grants: [], problems: wrong }

  const problems: string[] = []
  const seen = new Map<string, number>()
  const grants = lines.flatMap(({ line, length, cell }): ParsedGrant[] => {
    const before = problems.length
    const problem = (message: string): void => void problems.push(`line ${line}: ${message}`)
    if (length > width) problem(`has ${length} columns, the heading has ${width}`)
    const userId = z.uuid().safeParse(cell('user_id').toLowerCase())
    if (!userId.success) problem(`${quoted(cell('user_id'))} is not a user ID`)
    const reference = organisationIn(cell('organisation'))
    if (!reference)
      problem(
        `${quoted(cell('organisation'))} is not an organisation, such as partner 12345 or merchant business:NO:ORG 987654321`,
      )
    const organisation = reference ? organisationKey(reference) : ''
    if (reference && !known.has(organisation))
      problem(`${quoted(cell('organisation'))} is not in the organisations file`)
    const role = cell('role') === '' ? 'viewer' : roles.find((name) => name === cell('role'))
    if (!role) problem(`${quoted(cell('role'))} is not a role: ${roles.join(' or ')}`)
    const until = cell('until')
    if (until !== '' && !isDay(until)) problem(`${quoted(until)} is not a day such as 2026-12-31`)
    else if (until !== '' && until < today) problem(`${until} has passed already`)
    const reason = printable(cell('reason'))
    if (reason.length > longestReason) problem(`the reason may have ${longestReason} characters at most`)
    const name = `${userId.data} ${organisation}`
    const first = seen.get(name)
    if (first !== undefined && reference && userId.success)
      problem(`is for the same user and organisation as line ${first}`)
    else seen.set(name, line)
    if (problems.length > before) return []
    return [
      {
        line,
        userId: String(userId.data),
        organisation,
        role: role as Role,
        until: until || null,
        reason: reason || null,
      },
    ]
  })
  return { grants: problems.length > 0 ? [] : grants, problems }
}
