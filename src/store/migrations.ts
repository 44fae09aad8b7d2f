import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { DatabaseUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Database, Handle } from './database.ts'
import { schema } from './migrations/0001-schema.ts'

/** Append only: what has been released is never changed, renamed or moved. Names sort in this order. */
const migrations: Readonly<Record<string, Migration>> = {
  '0001-schema': schema,
}

/** How the tables of a database relate to this version of the portal. */
export type SchemaVersion = 'current' | 'empty' | 'older' | 'newer'

/**
 * Brings the database up to date in one transaction. Instances that start together wait for each other, without the
 * statement timeout, which is meant for pages; the lock ends with the transaction, however that ends.
 *
 * @param patienceMs how long it waits before it says so in the log
 * @throws DatabaseUnavailableError when it cannot, also when a newer portal has been here; nothing is changed then
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
      if (unknown.length > 0) throw new Error(`a newer version of the portal has added ${unknown.join(', ')}`)
      for (const [name, migration] of Object.entries(migrations)) {
        if (applied.has(name)) continue
        await migration.up(trx)
        await sql`insert into migrations (name) values (${name})`.execute(trx)
      }
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new DatabaseUnavailableError(`the database could not be brought up to date: ${reason}`, { cause })
  } finally {
    clearTimeout(waiting)
  }
}

async function appliedIn(db: Handle): Promise<Set<string>> {
  const { rows } = await sql<{ name: string }>`select name from migrations`.execute(db)
  return new Set(rows.map(({ name }) => name))
}

/** Compares the database with this version's migrations, and changes nothing. @throws what a query throws */
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
