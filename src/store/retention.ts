import type { Logger } from '../logger.ts'
import { deleteOldAudit } from './audit-retention.ts'
import { deleteOldChanges } from './changes.ts'
import type { Database } from './database.ts'
import { deleteOldCodes } from './email-codes.ts'
import { deleteOldNotices } from './notice-queue.ts'
import { deleteEndedSessions } from './sessions.ts'
import { removeInactiveUsers } from './user-data.ts'

/** How many days audit entries, history and users who do not sign in are kept; 0 keeps them for ever. */
export type RetentionDays = { readonly audit: number; readonly history: number; readonly users: number }

const hourMs = 3_600_000
/** Delays the first sweep, so that it does not slow down the start. */
const firstMs = 60_000

/**
 * Sweeps a minute after start and then hourly, in the background: expired codes, ended sessions and old notices always, the
 * rest by `days`.
 * @returns a function that stops it and waits for a running sweep
 */
export function startRetention(
  database: Database,
  logger: Logger,
  days: RetentionDays,
  waitMs = firstMs,
): () => Promise<void> {
  let underWay: Promise<void> | undefined
  const next = (ms: number): NodeJS.Timeout =>
    setTimeout(() => {
      underWay = sweepAll(database, logger, days)
      timer = next(hourMs)
    }, ms).unref()
  let timer = next(waitMs)
  return async () => {
    clearTimeout(timer)
    await underWay
  }
}

/** Runs every sweep; one that fails does not keep the others from running. */
async function sweepAll(database: Database, logger: Logger, days: RetentionDays): Promise<void> {
  const { kysely } = database
  const sweeps: readonly (readonly [what: string, run: () => Promise<number>])[] = [
    ['expired e-mail codes', () => deleteOldCodes(kysely)],
    ['ended sessions', () => deleteEndedSessions(kysely)],
    ['notices', () => deleteOldNotices(kysely)],
    ['audit entries', () => ifAny(days.audit, () => deleteOldAudit(database, days.audit))],
    ['history', () => ifAny(days.history, () => deleteOldChanges(database, days.history))],
    ['inactive users', () => ifAny(days.users, () => removeInactiveUsers(database, logger, days.users))],
  ]
  for (const [what, run] of sweeps) {
    try {
      const deleted = await run()
      if (deleted > 0) logger.info({ deleted, what }, 'retention: rows deleted')
    } catch (error) {
      logger.warn({ err: error, what }, 'retention failed: next try in an hour')
    }
  }
}

async function ifAny(days: number, run: () => Promise<number>): Promise<number> {
  return days === 0 ? 0 : run()
}
