import { sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { DatabaseUnavailableError } from '../errors.ts'
import type { Database, Handle } from './database.ts'
import { schema } from './migrations/0001-schema.ts'

/** Append only: what has been released is never changed, renamed or moved. Names sort in this order. */
const migrations: Readonly<Record<string, Migration>> = {
  '0001-schema': schema,
}

const currentSchema = async (db: Handle): Promise<string> => {
  const { rows } = await sql<{ schema: string | null }>`select current_schema() as schema`.execute(db)
  return rows[0]?.schema ?? 'public'
}

/** The schema is named because Kysely would else take another schema's record for this one's. */
const migrateOn = async (db: Handle): Promise<void> => {
  const provider = { getMigrations: async () => migrations }
  const migrator = new Migrator({ db, provider, migrationTableSchema: await currentSchema(db) })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}

/**
 * Brings the database up to date: all that is missing in one transaction, under an advisory lock, so that portals
 * that start together wait for each other. Without the statement timeout, which is meant for pages.
 *
 * @throws DatabaseUnavailableError when it cannot, also when a newer portal has been here; nothing is changed then
 */
export const migrate = async ({ kysely }: Database): Promise<void> => {
  try {
    await kysely.connection().execute(async (db) => {
      await sql`set statement_timeout = 0`.execute(db)
      await migrateOn(db).finally(() => sql`reset statement_timeout`.execute(db))
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new DatabaseUnavailableError(`the database could not be brought up to date: ${reason}`, { cause })
  }
}

const undefinedTable = '42P01'

/** Whether migrate() has something to do; one query, for readiness. @throws what a query throws */
export const migrationsPending = async ({ kysely }: Database): Promise<boolean> => {
  try {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(kysely)
    const done = new Set(rows.map(({ name }) => name))
    return Object.keys(migrations).some((name) => !done.has(name))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === undefinedTable) return true
    throw error
  }
}
