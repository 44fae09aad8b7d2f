import { sql } from 'kysely'
import type { Database, Handle } from './database.ts'

const rowsAtOnce = 10_000

/**
 * Deletes rows in batches, each in a transaction of its own, until there are none. When several instances sweep the same
 * rows at once, one does the work.
 * @param deleteBatch deletes at most `limit` rows and returns how many
 * @returns the number of deleted rows
 */
export async function sweep(
  { kysely }: Pick<Database, 'kysely'>,
  name: string,
  deleteBatch: (db: Handle, limit: number) => Promise<number>,
): Promise<number> {
  const next = async (): Promise<number> =>
    kysely.transaction().execute(async (db) => {
      const { rows } = await sql<{ mine: boolean }>`
        select pg_try_advisory_xact_lock(hashtext(current_schema() || ' ' || ${name}::text)) as mine`.execute(db)
      return rows[0]?.mine ? deleteBatch(db, rowsAtOnce) : 0
    })
  let total = 0
  for (let deleted = await next(); deleted > 0; deleted = await next()) total += deleted
  return total
}
