import { sql } from 'kysely'
import type { Logger } from '../logger.ts'
import type { Handle } from './database.ts'

/** Everything that the audit log knows to happen. */
export const auditEvents = [
  'sign-in',
  'sign-in refused',
  'sign-out',
  'session ended',
  'e-mail verified',
  'e-mail verification refused',
  'grant',
  'revoke',
  'access refused',
  'acting as',
  'page',
  'export',
  'too many requests',
  'credentials reloaded',
] as const
export type AuditEvent = (typeof auditEvents)[number]

/**
 * One thing that happened. No personal data but the user id and the coarse address: never a name, an e-mail address,
 * a search, a token.
 */
export type AuditEntry = {
  readonly event: AuditEvent
  /** The portal's own id of whoever did it, or had it done to them. */
  readonly userId?: string | undefined
  /** By organisationKey(). */
  readonly organisation?: string | undefined
  /** As truncatedAddress() gives it. */
  readonly address?: string | undefined
  /** Short words of the portal's own: a reason, a role, the pattern of a route. */
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

/** Takes entries of the audit log from pages, which do not wait for them. */
export type AuditWriter = {
  /**
   * Logs the entry at once and inserts it behind those noted before. An entry that the database refuses is in the log only.
   * @param onceSince inserts it only if this user, organisation and event have no entry since then
   */
  readonly note: (entry: AuditEntry, onceSince?: Date) => void
  /** Resolves when everything noted so far is inserted or refused; never rejects. */
  readonly flush: () => Promise<void>
}

/** Inserts one entry at a time: in the order noted, and with at most one connection that pages may need. */
export function createAuditWriter(db: Handle, logger: Logger): AuditWriter {
  let inserted = Promise.resolve()
  const insert = async (entry: AuditEntry, onceSince?: Date): Promise<void> => {
    try {
      if (!onceSince || !(await isInserted(db, entry, onceSince))) await insertAudit(db, [entry])
    } catch (error) {
      logger.error({ err: error, event: entry.event }, 'audit insert failed: the entry is in the log only')
    }
  }
  return {
    note: (entry, onceSince) => {
      logAudit(logger, [entry])
      inserted = inserted.then(async () => insert(entry, onceSince))
    },
    flush: async () => inserted,
  }
}

async function isInserted(db: Handle, entry: AuditEntry, since: Date): Promise<boolean> {
  const { event, userId = null, organisation = null } = entry
  const { rows } = await sql`
    select from audit where user_id = ${userId}::uuid and at >= ${since}::timestamptz
      and event = ${event} and organisation = ${organisation} limit 1`.execute(db)
  return rows.length > 0
}

const entriesAtOnce = 1000

/** Writes entries to the table and not to the log. In a transaction: with what they tell of, or not at all. */
export async function insertAudit(db: Handle, entries: readonly AuditEntry[]): Promise<void> {
  for (let start = 0; start < entries.length; start += entriesAtOnce) {
    const rows = entries
      .slice(start, start + entriesAtOnce)
      .map(({ event, userId, organisation, address, details = {} }) => ({
        event,
        user_id: userId ?? null,
        organisation: organisation ?? null,
        address: address ?? null,
        details: JSON.stringify(details),
      }))
    await db.insertInto('audit').values(rows).execute()
  }
}

/** Writes entries to the log, a JSON line each. */
export function logAudit(logger: Logger, entries: readonly AuditEntry[]): void {
  for (const { event, userId, organisation, address, details } of entries)
    logger.info({ audit: { event, userId, organisation, address, ...details } }, 'audit')
}

/**
 * Writes one entry to the table, and then to the log as a JSON line. Not within a transaction, which may yet come to
 * nothing: there `insertAudit`, and `logAudit` after its end.
 */
export async function recordAudit(db: Handle, logger: Logger, entry: AuditEntry): Promise<void> {
  await insertAudit(db, [entry])
  logAudit(logger, [entry])
}
