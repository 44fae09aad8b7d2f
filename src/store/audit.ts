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
  'keys reloaded',
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
  /** As coarseAddress() gives it. */
  readonly address?: string | undefined
  /** Short words of the portal's own: a reason, a role, the pattern of a route. */
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

/** An entry and when it happened by the database's clock, in seconds since 1970, where that is not now. */
export type TimedEntry = AuditEntry & { readonly at?: number }

/** When that was, by the database's clock; now unless told. */
export const momentOf = (at: number | undefined) =>
  at === undefined ? sql<Date>`now()` : sql<Date>`to_timestamp(${at}::float8)`

const entriesAtOnce = 1000

/** Writes entries to the table and not to the log. In a transaction: with what they tell of, or not at all. */
export const insertAudit = async (db: Handle, entries: readonly TimedEntry[]): Promise<void> => {
  for (let start = 0; start < entries.length; start += entriesAtOnce) {
    const rows = entries
      .slice(start, start + entriesAtOnce)
      .map(({ event, userId, organisation, address, details = {}, at }) => ({
        at: momentOf(at),
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
export const logAudit = (logger: Logger, entries: readonly AuditEntry[]): void => {
  for (const { event, userId, organisation, address, details } of entries)
    logger.info({ audit: { event, userId, organisation, address, ...details } }, 'audit')
}

/**
 * Writes one entry to the table, and then to the log as a JSON line. Not within a transaction, which may yet come to
 * nothing: there `insertAudit`, and `logAudit` after its end.
 */
export const recordAudit = async (db: Handle, logger: Logger, entry: AuditEntry): Promise<void> => {
  await insertAudit(db, [entry])
  logAudit(logger, [entry])
}
