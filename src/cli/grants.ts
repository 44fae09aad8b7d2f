import { organisationKey } from '../domain/organisation.ts'
import type { UserGrant } from '../domain/role.ts'
import { type AuditEntry, insertAudit, logAudit } from '../store/audit.ts'
import type { Handle } from '../store/database.ts'
import {
  type GrantKey,
  grantsOfUsers,
  type GrantTerms,
  listGrants,
  lockGrants,
  removeGrant,
  type StoredGrant,
  today,
  writeGrants,
} from '../store/grants.ts'
import { findUser } from '../store/users.ts'
import {
  CommandError,
  isDay,
  parseOptions,
  parseOrganisation,
  parseRole,
  parseUserId,
  refuseMore,
} from './arguments.ts'
import { describeOrganisation, type CommandCall, type CommandDeps } from './command.ts'
import { printable, table } from './table.ts'
import { inWords } from './messages.ts'

/** The name and ID of a user for output; `known` is true when the user has signed in. */
export async function describeUser(db: Handle, userId: string): Promise<{ words: string; known: boolean }> {
  const user = await findUser(db, userId)
  const name = printable(user?.name ?? user?.email ?? '')
  return { words: name === '' ? userId : `${name} (${userId})`, known: user !== undefined }
}

/** The terms of a grant as text: `viewer until 2026-12-31`, `developer`. */
export function termsInWords({ role, until }: UserGrant): string {
  return until === null ? role : `${role} until ${until}`
}

const longest = 200

/** The person to record: `--by`, else the operating system user. @throws CommandError */
export function operatorOf(by: string | undefined, operator: string): string {
  return textOf(by ?? operator, 'by') || textOf(operator, 'by')
}

/** A one-line option value. @throws CommandError when it is too long */
function textOf(value: string, name: string): string {
  const text = printable(value).trim()
  if (text.length > longest) throw new CommandError(`--${name} may have ${longest} characters at most`)
  return text
}

const grantOptions = {
  role: { type: 'string' },
  until: { type: 'string' },
  reason: { type: 'string' },
  by: { type: 'string' },
} as const

type GrantOptions = { readonly role?: string; readonly until?: string; readonly reason?: string }

/** The previous terms of a grant, for output and audit log. */
export function wasInWords(before: StoredGrant): string {
  return `${termsInWords(before)}${before.isOver ? ', expired' : ''}`
}

/**
 * `grant <user-id> <organisation> [options]`: creates or changes a grant, and returns what changed. @throws
 * CommandError
 */
export async function grant(deps: CommandDeps, values: readonly string[], { operator }: CommandCall): Promise<string> {
  const { values: options, positionals } = parseOptions(values, grantOptions)
  const [id, ...rest] = positionals
  const userId = parseUserId(id)
  const reference = parseOrganisation(rest)
  const organisation = organisationKey(reference)
  const words = describeOrganisation(deps, reference)
  if (!deps.organisations.has(organisation)) {
    throw new CommandError(`${words} is unknown: add it to the organisations file (ORGANISATIONS_FILE) first`)
  }
  const by = operatorOf(options.by, operator)
  const user = await describeUser(deps.database.kysely, userId)
  const change = { userId, organisation, options, by }
  const { before, terms, entry } = await deps.database.kysely
    .transaction()
    .execute(async (db) => changeGrant(db, change))
  const note = user.known ? '' : '\nNote: no user has signed in with this ID yet.'
  const as = `${user.words} may now act as ${words}, as ${termsInWords(terms)}`
  if (!entry) return `${user.words} may already act as ${words}, as ${termsInWords(terms)}: nothing was changed.${note}`
  logAudit(deps.logger, [entry])
  if (!before) return `${as}.${note}`
  const isReasonOnly = !before.isOver && before.role === terms.role && before.until === terms.until
  return isReasonOnly ? `${as}; only the reason changed.${note}` : `${as}; before: ${wasInWords(before)}.${note}`
}

/** `revoke <user-id> <organisation> [--by name]`: removes a grant. @throws CommandError when there is none */
export async function revoke(deps: CommandDeps, values: readonly string[], { operator }: CommandCall): Promise<string> {
  const { values: options, positionals } = parseOptions(values, { by: { type: 'string' } })
  const [id, ...rest] = positionals
  const userId = parseUserId(id)
  const reference = parseOrganisation(rest)
  const words = describeOrganisation(deps, reference)
  const by = operatorOf(options.by, operator)
  const user = await describeUser(deps.database.kysely, userId)
  const entry = {
    event: 'revoke' as const,
    userId,
    organisation: organisationKey(reference),
    details: { by },
  }
  const removed = await deps.database.kysely.transaction().execute(async (db) => {
    if (!(await removeGrant(db, reference, userId))) return false
    await insertAudit(db, [entry])
    return true
  })
  if (!removed) throw new CommandError(`${user.words} has no grant for ${words}: nothing was changed`)
  logAudit(deps.logger, [entry])
  return `${user.words} may no longer act as ${words}.`
}

const headings = ['USER ID', 'NAME', 'MAY ACT AS', 'ORGANISATION', 'ROLE', 'UNTIL', 'SINCE', 'BY', 'REASON']

/** `grants [user-id]`: lists grants; expired ones are marked. */
export async function grants({ database, organisations }: CommandDeps, values: readonly string[]): Promise<string> {
  refuseMore(values, 1)
  const userId = values[0] === undefined ? undefined : parseUserId(values[0])
  const all = await listGrants(database.kysely)
  const rows = all
    .filter((row) => userId === undefined || row.userId === userId)
    .map(({ userId: user, userName, organisation, role, until, isOver, grantedAt, by, reason }) => [
      user,
      userName ?? '-',
      inWords(organisation),
      organisations.get(organisation)?.name ?? '(not in the organisations file)',
      role,
      `${until ?? '-'}${isOver ? ' EXPIRED' : ''}`,
      grantedAt.toISOString(),
      by ?? '-',
      reason ?? '-',
    ])
  if (rows.length === 0) return 'There are no grants.'
  return table(headings, rows)
}

/** Creates or changes one grant with its audit entry; `entry` is undefined when nothing changes. */
async function changeGrant(
  db: Handle,
  { userId, organisation, options, by }: GrantKey & { readonly options: GrantOptions; readonly by: string },
) {
  await lockGrants(db)
  const before = (await grantsOfUsers(db, [userId])).find((found) => found.organisation === organisation)
  const terms = termsOf(options, before, await today(db))
  if (before && !before.isOver && isSame(before, terms)) return { before, terms, entry: undefined }
  await writeGrants(db, [{ userId, organisation, ...terms, by }])
  const was = before ? { was: wasInWords(before) } : {}
  const details = { is: termsInWords(terms), ...was, by }
  const entry: AuditEntry = { event: 'grant', userId, organisation, details }
  await insertAudit(db, [entry])
  return { before, terms, entry }
}

/** The new terms: options that are not given keep the current terms; an expired grant starts from the defaults. */
function termsOf(options: GrantOptions, before: StoredGrant | undefined, now: string): Omit<GrantTerms, 'by'> {
  const { role, until, reason } =
    before && !before.isOver ? before : ({ role: 'viewer', until: null, reason: null } as const)
  return {
    role: options.role === undefined ? role : parseRole(options.role),
    until: options.until === undefined ? until : untilOf(options.until, now),
    reason: options.reason === undefined ? reason : textOf(options.reason, 'reason') || null,
  }
}

function isSame(before: StoredGrant, terms: Omit<GrantTerms, 'by'>): boolean {
  return before.role === terms.role && before.until === terms.until && before.reason === terms.reason
}

/** Parses --until; `never` removes the end. @throws CommandError */
function untilOf(value: string, now: string): string | null {
  if (value === 'never') return null
  if (!isDay(value)) throw new CommandError(`"${printable(value)}" is not a day such as 2026-12-31, or never`)
  if (value < now) throw new CommandError(`${value} has passed already: today is ${now} in UTC`)
  return value
}
