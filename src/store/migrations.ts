import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { DatabaseUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Database, Handle } from './database.ts'
import { schema } from './migrations/0001-schema.ts'
import { webhookProblems } from './migrations/0002-webhook-problems.ts'
import { merchantsFirstSeen } from './migrations/0003-merchants-first-seen.ts'
import { removedRecords } from './migrations/0004-removed-records.ts'
import { requireCreate, requireUsableDatabase } from './requirements.ts'
import { requireWritable } from './write-check.ts'

/** Append only: a released migration is never changed, renamed or moved. Names sort in this order. */
const migrations: Readonly<Record<string, Migration>> = {
  '0001-schema': schema,
  '0002-webhook-problems': webhookProblems,
  '0003-merchants-first-seen': merchantsFirstSeen,
  '0004-removed-records': removedRecords,
}

/** The schema of a database compared with this version of the portal. */
export type SchemaVersion = 'current' | 'empty' | 'older' | 'newer'

/**
 * Migrates the database in one transaction. Concurrent instances wait for each other on an advisory lock, without the
 * statement timeout; the lock ends with the transaction.
 * @param patience.sayMs how long to wait for another instance before a log line says so
 * @param patience.giveUpMs how long to wait before it fails
 * @throws DatabaseUnavailableError when it fails, also when the schema is newer; nothing is changed then
 */
export async function migrate(
  { kysely }: Database,
  logger: Logger,
  { sayMs = 3000, giveUpMs = 300_000 }: { readonly sayMs?: number; readonly giveUpMs?: number } = {},
): Promise<void> {
  const waiting = setTimeout(() => {
    logger.info('migration waits: another instance is migrating the database')
  }, sayMs)
  try {
    await kysely.transaction().execute(async (trx) => {
      await sql`select set_config('statement_timeout', '0', true), set_config('lock_timeout', ${String(giveUpMs)}, true)`.execute(
        trx,
      )
      await requireUsableDatabase(trx)
      await requireWritable(trx)
      await sql`select pg_advisory_xact_lock(hashtext(current_schema() || ' migrations'))`
        .execute(trx)
        .catch((cause: unknown) => {
          throw lockError(cause, giveUpMs)
        })
      clearTimeout(waiting)
      await applyMissing(trx)
    })
  } catch (cause) {
    if (cause instanceof DatabaseUnavailableError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new DatabaseUnavailableError(`database migration failed: ${reason}`, { cause })
  } finally {
    clearTimeout(waiting)
  }
}

async function applyMissing(trx: Handle): Promise<void> {
  const { rows } = await sql<{ exists: boolean }>`
    select exists (
      select from pg_tables where schemaname = current_schema() and tablename = 'migrations') as exists`.execute(trx)
  const applied = rows[0]?.exists ? await appliedIn(trx) : undefined
  const unknown = [...(applied ?? [])].filter((name) => !(name in migrations))
  if (unknown.length > 0)
    throw new Error(`the schema is newer than this version: unknown migrations ${unknown.join(', ')}`)
  const missing = Object.entries(migrations).filter(([name]) => !applied?.has(name))
  if (missing.length > 0) await requireCreate(trx)
  // Only if it is missing: `if not exists` needs the right to create tables even when there is nothing to create.
  if (!applied)
    await sql`
      create table migrations (name text primary key, applied_at timestamptz not null default now())`.execute(trx)
  for (const [name, migration] of missing) {
    await migration.up(trx)
    await sql`insert into migrations (name) values (${name})`.execute(trx)
  }
}

function lockError(cause: unknown, giveUpMs: number): unknown {
  if (!(cause instanceof Error && 'code' in cause && cause.code === lockNotAvailable)) return cause
  return new DatabaseUnavailableError(
    `gave up after ${giveUpMs / 1000} s: another portal is migrating the database, or its connection was left open; select pid from pg_locks where locktype = 'advisory' and granted finds it, and pg_terminate_backend(pid) ends it`,
    { cause },
  )
}

const lockNotAvailable = '55P03'

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
