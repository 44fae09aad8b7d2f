import { sql } from 'kysely'
import type { Database } from './database.ts'
import { sweep } from './sweep.ts'

/** Deletes audit entries older than `days`. @returns the number of deleted entries */
export async function deleteOldAudit(database: Database, days: number): Promise<number> {
  return sweep(database, 'audit', async (db, limit) => {
    // The table's trigger only allows deletes with this setting.
    await sql`select set_config('portal.audit_retention', 'on', true)`.execute(db)
    const { numAffectedRows = 0n } = await sql`
      delete from audit where id = any(array(
        select id from audit where at < now() - make_interval(days => ${days}::int)
        order by at limit ${limit}))`.execute(db)
    return Number(numAffectedRows)
  })
}
