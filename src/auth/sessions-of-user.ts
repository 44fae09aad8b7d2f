import { createHash } from 'node:crypto'
import type { Request } from 'express'
import { coarseAddress } from '../http/coarse-address.ts'
import type { SessionLimits } from '../http/session.ts'
import type { Logger } from '../logger.ts'
import { insertAudit, logAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { endSessions, sessionsOfUser, type SignedInSession } from '../store/sessions.ts'

/** One of the user's own sessions, as a page may show it. */
export type OwnSession = Omit<SignedInSession, 'sid'> & {
  /** Names it in a form; the id itself is a secret. */
  readonly key: string
  readonly current: boolean
}

const keyOf = (sid: string): string => createHash('sha256').update(sid).digest('base64url').slice(0, 22)

const oldest = ({ absoluteMs }: SessionLimits): Date => new Date(Date.now() - absoluteMs)

/** The sessions of the signed-in user, this one first. */
export const ownSessions = async (
  database: Database,
  limits: SessionLimits,
  req: Request,
  user: Express.User,
): Promise<OwnSession[]> => {
  const all = await sessionsOfUser(database.kysely, user.id, oldest(limits))
  return all
    .map(({ sid, ...rest }) => ({ ...rest, key: keyOf(sid), current: sid === req.sessionID }))
    .toSorted((a, b) => Number(b.current) - Number(a.current))
}

/**
 * Ends the user's other sessions: the one with this key, or all. This one is left to `signOut`.
 * @returns how many ended
 */
export const endOtherSessions = async (
  { database, logger }: { readonly database: Database; readonly logger: Logger },
  req: Request,
  user: Express.User,
  which: string,
): Promise<number> => {
  const all = await sessionsOfUser(database.kysely, user.id, new Date(0))
  const ended = all
    .map(({ sid }) => sid)
    .filter((sid) => sid !== req.sessionID && (which === 'all' || keyOf(sid) === which))
  const address = coarseAddress(req.ip)
  const entry = await database.kysely.transaction().execute(async (db) => {
    const sessions = await endSessions(db, user.id, ended)
    const details = { reason: 'revoked', sessions }
    const written = { event: 'session ended', userId: user.id, address, details } as const
    if (sessions > 0) await insertAudit(db, [written])
    return written
  })
  const { sessions } = entry.details
  if (sessions > 0) logAudit(logger, [entry])
  return sessions
}
