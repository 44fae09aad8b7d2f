import { sql } from 'kysely'
import type { Logger } from '../logger.ts'
import type { Database } from './database.ts'

const dayMs = 86_400_000
/** Portals that start together do not all begin with this. */
const firstMs = 60_000
const rowsAtOnce = 10_000

/**
 * Deletes audit entries that are older. Of instances that do so at once, one does.
 * @returns how many there were
 */
export async function forgetAudit({ kysely }: Database, days: number): Promise<number> {
  const forgetSome = async (): Promise<number> =>
    kysely.transaction().execute(async (db) => {
      const { rows } = await sql<{ mine: boolean }>`
        select pg_try_advisory_xact_lock(hashtext(current_schema() || ' audit')) as mine`.execute(db)
      if (!rows[0]?.mine) return 0
      // What the table's trigger wants to hear before it lets a row go.
      await sql`select set_config('portal.audit_retention', 'on', true)`.execute(db)
      const { numAffectedRows = 0n } = await sql`
        delete from audit where id = any(array(
          select id from audit where at < now() - make_interval(days => ${days}::int)
          order by at limit ${rowsAtOnce}))`.execute(db)
      return Number(numAffectedRows)
    })
  let total = 0
  for (let some = await forgetSome(); some > 0; some = await forgetSome()) total += some
  return total
}

/**
 * Does so a minute after start and daily from then on, in the background; `days` 0: never.
 * @returns ends it, and waits for what is under way
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
      const deleted = await forgetAudit(database, days)
      if (deleted > 0) logger.info({ deleted, days }, 'old audit entries deleted')
    } catch (error) {
      logger.warn({ err: error }, 'old audit entries could not be deleted; tried again tomorrow')
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
