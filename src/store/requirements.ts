import { sql } from 'kysely'
import { DatabaseUnavailableError } from '../errors.ts'
import type { Handle } from './database.ts'

/**
 * Checks what no migration can change: the server's version, the encoding of the database, and the schema.
 * @throws DatabaseUnavailableError with the remedy
 */
export async function requireUsableDatabase(db: Handle): Promise<void> {
  const { rows } = await sql<Facts>`
    select current_setting('server_version_num')::int as version, current_setting('server_version') as "versionName",
      current_setting('server_encoding') as encoding, current_setting('search_path') as path,
      current_schema() as schema, quote_ident(current_database()) as database, quote_ident(current_user) as user`.execute(
    db,
  )
  const [facts] = rows
  const problem = facts && problemOf(facts)
  if (problem !== undefined) throw new DatabaseUnavailableError(problem)
}

type Facts = {
  readonly version: number
  readonly versionName: string
  readonly encoding: string
  readonly path: string
  readonly schema: string | null
  readonly database: string
  readonly user: string
}

function problemOf({ version, versionName, encoding, path, schema, database, user }: Facts): string | undefined {
  if (version < 140_000) return `PostgreSQL ${versionName} is too old: the portal needs PostgreSQL 14 or newer`
  if (encoding !== 'UTF8')
    return `the database has the encoding ${encoding}, and the portal needs UTF8: create another one with create database ${database} template template0 encoding 'UTF8'`
  if (schema === null)
    return `no schema of search_path (${path}) exists and may be used: alter role ${user} set search_path = public, or grant usage on its schema`
  return undefined
}

/** Requires the right to create tables. @throws DatabaseUnavailableError with the statement that gives it */
export async function requireCreate(db: Handle): Promise<void> {
  const { rows } = await sql<{ may: boolean; schema: string; user: string }>`
    select has_schema_privilege(current_schema(), 'create') as may, quote_ident(current_schema()) as schema,
      quote_ident(current_user) as user`.execute(db)
  const [found] = rows
  if (!found || found.may) return
  throw new DatabaseUnavailableError(
    `the database user may not create tables in the schema ${found.schema}: grant create on schema ${found.schema} to ${found.user}`,
  )
}

/**
 * Creates the extension pg_trgm if it is missing; it may be installed in any schema. Run in a transaction.
 * @returns its schema
 * @throws DatabaseUnavailableError with the remedy
 */
export async function requireTrigrams(db: Handle): Promise<string> {
  const find = async () =>
    sql<{ schema: string }>`
      select nspname as schema from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
      where extname = 'pg_trgm'`.execute(db)
  const installed = (await find()).rows[0]
  if (installed) return installed.schema
  // `if not exists` fails where another schema of the database gets its portal at the same moment.
  await sql`select pg_advisory_xact_lock(hashtext('portal extensions'))`.execute(db)
  await sql`create extension if not exists pg_trgm with schema public`.execute(db).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new DatabaseUnavailableError(
      `the extension pg_trgm cannot be created (${reason}): an administrator must run create extension pg_trgm in this database, after allowing or installing it (managed services have a list of allowed extensions; packages call it contrib)`,
      { cause },
    )
  })
  return (await find()).rows[0]?.schema ?? 'public'
}
