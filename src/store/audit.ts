import type { Logger } from '../logger.ts'
import type { Handle } from './database.ts'

/** Everything that the audit log knows to happen. */
export type AuditEvent =
  | 'sign-in'
  | 'sign-in refused'
  | 'sign-out'
  | 'session ended'
  | 'e-mail verified'
  | 'e-mail verification refused'
  | 'grant'
  | 'revoke'
  | 'access refused'
  | 'acting as'
  | 'page'
  | 'export'
  | 'too many requests'
  | 'keys reloaded'

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

/**
 * Writes one entry to the table, and then to the log as a JSON line. Within a transaction's handle it is written with
 * what it tells of, or not at all.
 */
export const recordAudit = async (db: Handle, logger: Logger, entry: AuditEntry): Promise<void> => {
  const { event, userId, organisation, address, details = {} } = entry
  await db
    .insertInto('audit')
    .values({
      event,
      user_id: userId ?? null,
      organisation: organisation ?? null,
      address: address ?? null,
      details: JSON.stringify(details),
    })
    .execute()
  logger.info({ audit: { event, userId, organisation, address, ...details } }, 'audit')
}
