import { Kysely, PostgresDialect } from 'kysely'
import type { Pool } from 'pg'
import type { Logger } from '../logger.ts'
import { openPool } from './pool.ts'
import type { Schema } from './schema.ts'

/** What store functions take: the database's `kysely`, or a transaction's handle inside that transaction. */
export type Handle = Kysely<Schema>

/** The portal's PostgreSQL. */
export type Database = {
  readonly kysely: Handle
  /** The pool beneath `kysely`, for libraries that bring SQL of their own. */
  readonly pool: Pool
  /** Waits for work under way, then closes. May be called twice. */
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
