import { sql } from 'kysely'
import type { Logger } from '../logger.ts'
import type { Database } from './database.ts'

const dayMs = 86_400_000
/** Delays the first sweep, so that it does not slow down the start. */
const firstMs = 60_000
const rowsAtOnce = 10_000

/**
 * Deletes audit entries older than `days`. When several instances sweep at once, one does the work.
 * @returns the number of deleted entries
 */
export async function deleteOldAudit({ kysely }: Database, days: number): Promise<number> {
  const deleteBatch = async (): Promise<number> =>
    kysely.transaction().execute(async (db) => {
      const { rows } = await sql<{ mine: boolean }>`
        select pg_try_advisory_xact_lock(hashtext(current_schema() || ' audit')) as mine`.execute(db)
      if (!rows[0]?.mine) return 0
      // The table's trigger only allows deletes with this setting.
      await sql`select set_config('portal.audit_retention', 'on', true)`.execute(db)
      const { numAffectedRows = 0n } = await sql`
        delete from audit where id = any(array(
          select id from audit where at < now() - make_interval(days => ${days}::int)
          order by at limit ${rowsAtOnce}))`.execute(db)
      return Number(numAffectedRows)
    })
  let total = 0
  for (let deleted = await deleteBatch(); deleted > 0; deleted = await deleteBatch()) total += deleted
  return total
}

/**
 * Sweeps a minute after start and then daily, in the background; `days` 0 never deletes.
 * @returns a function that stops it and waits for a running sweep
 */
export function startAuditRetention(
  database: Database,
  logger: Logger,
  days: number,
  waitMs = firstMs,
): () => Promise<void> {
  if (days === 0) return async () => {}
  let underWay: Promise<void> | undefined
  const sweep = async (): Promise<void> => {
    try {
      const deleted = await deleteOldAudit(database, days)
      if (deleted > 0) logger.info({ deleted, days }, 'audit entries deleted')
    } catch (error) {
      logger.warn({ err: error }, 'audit retention failed: next try in 24 h')
    }
  }
  const next = (ms: number): NodeJS.Timeout =>
    setTimeout(() => {
      underWay = sweep()
      timer = next(dayMs)
    }, ms).unref()
  let timer = next(waitMs)
  return async () => {
    clearTimeout(timer)
    await underWay
  }
}
