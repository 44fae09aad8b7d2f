import { Kysely, PostgresDialect } from 'kysely'
import type { Pool } from 'pg'
import type { Logger } from '../logger.ts'
import { openPool } from './pool.ts'
import type { Schema } from './schema.ts'

/** The parameter of store functions: the database's `kysely`, or the handle of a transaction. */
export type Handle = Kysely<Schema>

/** The portal's PostgreSQL database. */
export type Database = {
  readonly kysely: Handle
  /** The pool below `kysely`, for libraries that run their own SQL. */
  readonly pool: Pool
  /** Waits for running queries, then closes. May be called twice. */
  readonly close: () => Promise<void>
}

/** Opens the database at `url`. The first query connects; nothing is migrated. */
export function openDatabase({ url, logger }: { readonly url: string; readonly logger: Logger }): Database {
  const pool = openPool(url, logger)
  let closing: Promise<void> | undefined
  return {
    kysely: new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) }),
    pool,
    close: () => (closing ??= pool.end()),
  }
}
