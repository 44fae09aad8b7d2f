import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { DatabaseUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Database, Handle } from './database.ts'
import { schema } from './migrations/0001-schema.ts'

/** Append only: a released migration is never changed, renamed or moved. Names sort in this order. */
const migrations: Readonly<Record<string, Migration>> = {
  '0001-schema': schema,
}

/** The schema of a database compared with this version of the portal. */
export type SchemaVersion = 'current' | 'empty' | 'older' | 'newer'

/**
 * Migrates the database in one transaction. Concurrent instances wait for each other on an advisory lock, without the
 * statement timeout; the lock ends with the transaction.
 * @param patienceMs how long to wait before a log line says so
 * @throws DatabaseUnavailableError when it fails, also when the schema is newer; nothing is changed then
 */
export async function migrate({ kysely }: Database, logger: Logger, patienceMs = 3000): Promise<void> {
  const waiting = setTimeout(() => {
    logger.info('migration waits: another instance is migrating the database')
  }, patienceMs)
  try {
    await kysely.transaction().execute(async (trx) => {
      await sql`set local statement_timeout = 0`.execute(trx)
      await sql`select pg_advisory_xact_lock(hashtext(current_schema() || ' migrations'))`.execute(trx)
      clearTimeout(waiting)
      await sql`
        create table if not exists migrations (
          name text primary key,
          applied_at timestamptz not null default now()
        )`.execute(trx)
      const applied = await appliedIn(trx)
      const unknown = [...applied].filter((name) => !(name in migrations))
      if (unknown.length > 0)
        throw new Error(`the schema is newer than this version: unknown migrations ${unknown.join(', ')}`)
      for (const [name, migration] of Object.entries(migrations)) {
        if (applied.has(name)) continue
        await migration.up(trx)
        await sql`insert into migrations (name) values (${name})`.execute(trx)
      }
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new DatabaseUnavailableError(`database migration failed: ${reason}`, { cause })
  } finally {
    clearTimeout(waiting)
  }
}

async function appliedIn(db: Handle): Promise<Set<string>> {
  const { rows } = await sql<{ name: string }>`select name from migrations`.execute(db)
  return new Set(rows.map(({ name }) => name))
}

/** Compares the database with this version's migrations, and changes nothing. @throws errors of the query */
export async function schemaVersion({ kysely }: Database): Promise<SchemaVersion> {
  const applied = await appliedIn(kysely).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === undefinedTable) return undefined
    throw error
  })
  if (!applied) return 'empty'
  if ([...applied].some((name) => !(name in migrations))) return 'newer'
  return Object.keys(migrations).every((name) => applied.has(name)) ? 'current' : 'older'
}

const undefinedTable = '42P01'
