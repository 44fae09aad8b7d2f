import { sql } from 'kysely'
import type { Logger } from '../logger.ts'
import type { Handle } from './database.ts'

/** The events of the audit log. */
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
  'live look',
  'too many requests',
  'credentials reloaded',
  'price packages imported',
  'user removed',
  'organisation removed',
  'notices stopped',
  'channel added',
  'channel removed',
] as const
/** An event of the audit log. */
export type AuditEvent = (typeof auditEvents)[number]

/**
 * One event. The only personal data are user id and truncated address: never a name, an e-mail address, search text or
 * a token.
 */
export type AuditEntry = {
  readonly event: AuditEvent
  /** The portal's id of the user who acts, or whom the event affects. */
  readonly userId?: string | undefined
  /** By organisationKey(). */
  readonly organisation?: string | undefined
  /** As truncatedAddress() gives it. */
  readonly address?: string | undefined
  /** Short fixed values: a reason, a role, a route pattern. */
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

/** Accepts audit entries from requests, which do not wait for the insert. */
export type AuditWriter = {
  /**
   * Logs the entry at once and inserts it after those noted before. An entry that the database refuses is only in the
   * log.
   * @param onceSince inserts it only if this user, organisation and event have no entry since then
   */
  readonly note: (entry: AuditEntry, onceSince?: Date) => void
  /**
   * Notes a refusal, which a client can repeat at will. Those of one user, organisation and kind are one entry an hour
   * and at its end a second one that says how often it was `repeated`. Without a user it is in the log only, because
   * strangers could fill the table.
   */
  readonly noteRefusal: (entry: AuditEntry) => void
  /** Resolves when everything noted so far is inserted or refused; never rejects. */
  readonly flush: () => Promise<void>
  /** Notes the repetitions that are counted so far, then flushes. */
  readonly close: () => Promise<void>
}

const hourMs = 3_600_000
/** The number of refusals that are counted at a time; more end the hours of all. */
const mostCounted = 10_000

/**
 * Inserts one entry at a time: in order, and with at most one connection of the pool.
 * @param periodMs how long equal refusals are counted
 */
export function createAuditWriter(db: Handle, logger: Logger, periodMs = hourMs): AuditWriter {
  let inserted = Promise.resolve()
  const refusals = new Map<string, { readonly entry: AuditEntry; repeated: number; readonly timer: NodeJS.Timeout }>()
  const insert = async (entry: AuditEntry, onceSince?: Date): Promise<void> => {
    try {
      if (!onceSince || !(await isInserted(db, entry, onceSince))) await insertAudit(db, [entry])
    } catch (error) {
      logger.error({ err: error, event: entry.event }, 'audit insert failed: the entry is in the log only')
    }
  }
  const note: AuditWriter['note'] = (entry, onceSince) => {
    logAudit(logger, [entry])
    inserted = inserted.then(async () => insert(entry, onceSince))
  }
  const endCount = (key: string): void => {
    const counted = refusals.get(key)
    refusals.delete(key)
    if (!counted) return
    clearTimeout(counted.timer)
    const { entry, repeated } = counted
    if (repeated > 0) note({ ...entry, details: { ...entry.details, repeated } })
  }
  const endCounts = (): void => [...refusals.keys()].forEach(endCount)
  return {
    note,
    noteRefusal: (entry) => {
      if (entry.userId === undefined) return logAudit(logger, [entry])
      const key = kindOf(entry)
      const counted = refusals.get(key)
      if (counted) {
        counted.repeated += 1
        return
      }
      if (refusals.size >= mostCounted) endCounts()
      refusals.set(key, { entry, repeated: 0, timer: setTimeout(() => endCount(key), periodMs).unref() })
      note(entry)
    },
    flush: async () => inserted,
    close: async () => {
      endCounts()
      await inserted
    },
  }
}

/** What makes two refusals equal: not the address or the page. */
function kindOf({ event, userId, organisation, details = {} }: AuditEntry): string {
  return JSON.stringify([event, userId, organisation, details['reason'], details['limit']])
}

async function isInserted(db: Handle, entry: AuditEntry, since: Date): Promise<boolean> {
  const { event, userId = null, organisation = null } = entry
  const { rows } = await sql`
    select from audit where user_id = ${userId}::uuid and at >= ${since}::timestamptz
      and event = ${event} and organisation = ${organisation} limit 1`.execute(db)
  return rows.length > 0
}

const entriesAtOnce = 1000

/** Inserts entries without logging them. Call it in the transaction of the change that they record. */
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

/** Writes entries to the log, one JSON line each. */
export function logAudit(logger: Logger, entries: readonly AuditEntry[]): void {
  for (const { event, userId, organisation, address, details } of entries)
    logger.info({ audit: { event, userId, organisation, address, ...details } }, 'audit')
}

/**
 * Inserts one entry and then logs it. Not for a transaction, which may roll back: there use `insertAudit`, and
 * `logAudit` after commit.
 */
export async function recordAudit(db: Handle, logger: Logger, entry: AuditEntry): Promise<void> {
  await insertAudit(db, [entry])
  logAudit(logger, [entry])
}
