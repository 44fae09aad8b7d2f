import { organisationKey } from '../domain/organisation.ts'
import { type AuditEvent, auditEvents } from '../store/audit.ts'
import { type AuditRow, readAudit } from '../store/audit-log.ts'
import { CommandError, isDay, organisationIn, parseOptions, parseUserId, refuseMore } from './arguments.ts'
import { type CommandCall, type CommandDeps } from './command.ts'
import { printable } from './table.ts'
import { inWords } from './messages.ts'

/** The number of entries printed without --since and --limit. */
const newest = 100

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Parses `2026-11-01`, `2026-11-01T12:00Z` (both UTC), or an age: `30m`, `12h`, `7d`. @throws CommandError */
function parseSince(value: string): Date {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(value) ?? []
  if (count !== undefined) return new Date(Date.now() - Number(count) * (units[unit] ?? 0))
  if (isDay(value)) return new Date(`${value}T00:00:00Z`)
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) && !Number.isNaN(Date.parse(value))) return new Date(value)
  throw new CommandError(`"${printable(value)}" is not a time such as 2026-11-01, 2026-11-01T12:00:00Z, 12h or 7d`)
}

function parseEvent(value: string): AuditEvent {
  const event = auditEvents.find((name) => name === value)
  if (event) return event
  throw new CommandError(`"${printable(value)}" is not an event: ${auditEvents.join(', ')}`)
}

function parseKey(value: string): string {
  const reference = organisationIn(value)
  if (reference) return organisationKey(reference)
  throw new CommandError(
    `"${printable(value)}" is not an organisation, such as partner:12345 or merchant:business:NO:ORG:987654321`,
  )
}

function parseLimit(value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value)
  throw new CommandError(`"${printable(value)}" is not a number of entries`)
}

/** The columns but the last, with their usual width: rows are printed before the widest is known. */
const columns = [
  ['AT', 27],
  ['EVENT', 15],
  ['USER ID', 36],
  ['ORGANISATION', 34],
  ['FROM', 18],
] as const

function lineOf(cells: readonly string[]): string {
  return cells
    .map((cell, index) => printable(cell).padEnd(columns[index]?.[1] ?? 0))
    .join('  ')
    .trimEnd()
}

function detailsOf(details: AuditRow['details']): string {
  return Object.entries(details)
    .map(
      ([name, value]) =>
        `${name}=${typeof value === 'string' && /\s/.test(value) ? JSON.stringify(value) : String(value)}`,
    )
    .join(' ')
}

function inColumns({ at, event, userId, organisation, address, details }: AuditRow): string {
  return lineOf([
    at,
    event,
    userId ?? '-',
    organisation === null ? '-' : inWords(organisation),
    address ?? '-',
    detailsOf(details),
  ])
}

/** `audit [options]`: prints the audit log, newest last. @throws CommandError */
export async function audit(
  { database }: CommandDeps,
  values: readonly string[],
  { tell, drained, signal }: CommandCall,
): Promise<string> {
  const { values: options, positionals } = parseOptions(values, {
    user: { type: 'string', multiple: true, default: [] },
    organisation: { type: 'string', multiple: true, default: [] },
    event: { type: 'string', multiple: true, default: [] },
    since: { type: 'string' },
    limit: { type: 'string' },
    json: { type: 'boolean', default: false },
  })
  refuseMore(positionals, 0)
  const filter = {
    userIds: options.user.map(parseUserId),
    organisations: options.organisation.map(parseKey),
    events: options.event.map(parseEvent),
    since: options.since === undefined ? undefined : parseSince(options.since),
  }
  const unbounded = filter.since ? undefined : newest
  const limit = options.limit === undefined ? unbounded : parseLimit(options.limit)
  let count = 0
  for await (const rows of readAudit(database.kysely, filter, limit)) {
    if (signal.aborted) throw new CommandError('interrupted')
    if (count === 0 && !options.json) tell(lineOf([...columns.map(([name]) => name), 'DETAILS']))
    for (const row of rows) tell(options.json ? JSON.stringify(row) : inColumns(row))
    count += rows.length
    await drained?.()
  }
  return count === 0 && !options.json ? 'No matching audit entries.' : ''
}
