import type { Request } from 'express'
import { truncatedAddress } from '../http/truncated-address.ts'
import type { Logger } from '../logger.ts'
import { type AuditEntry, insertAudit, logAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { endSessionsOfUser, sessionsOfUser, type SignedInSession } from '../store/sessions.ts'
import { rowId } from './session-store.ts'
import type { SessionLimits } from './session.ts'

/** A session of the user for the list of sessions. `id` identifies it in a form, and is not the cookie's. */
export type OwnSession = SignedInSession & { readonly current: boolean }

/** The sessions of the signed-in user, the current one first. */
export async function ownSessions(
  database: Database,
  { absoluteMs }: SessionLimits,
  req: Request,
  user: Express.User,
): Promise<OwnSession[]> {
  const all = await sessionsOfUser(database.kysely, user.id, new Date(Date.now() - absoluteMs))
  const current = rowId(req.sessionID)
  return all
    .map((each) => ({ ...each, current: each.id === current }))
    .toSorted((a, b) => Number(b.current) - Number(a.current))
}

/**
 * Ends other sessions of the user: the one with this id, or `all`. The current one is left to `signOut`.
 * @returns how many ended
 */
export async function endOtherSessions(
  { database, logger }: { readonly database: Database; readonly logger: Logger },
  req: Request,
  user: Express.User,
  which: string,
): Promise<number> {
  // Anything else is no id, and PostgreSQL refuses U+0000.
  if (which !== 'all' && !/^[\w-]{43}$/.test(which)) return 0
  const address = truncatedAddress(req.ip)
  const others = { except: rowId(req.sessionID), only: which === 'all' ? undefined : which }
  const { ended, entries } = await database.kysely.transaction().execute(async (db) => {
    const sessions = await endSessionsOfUser(db, user.id, others)
    const details = { reason: 'revoked', sessions }
    const written: AuditEntry[] = sessions > 0 ? [{ event: 'session ended', userId: user.id, address, details }] : []
    await insertAudit(db, written)
    return { ended: sessions, entries: written }
  })
  logAudit(logger, entries)
  return ended
}
