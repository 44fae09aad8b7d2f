import { Kysely, PostgresDialect } from 'kysely'
import type { Pool } from 'pg'
import type { Logger } from '../logger.ts'
import { openPool } from './pool.ts'
import type { Schema } from './schema.ts'

/** The parameter of store functions: the database's `kysely`, or the handle of a transaction. */
export type Handle = Kysely<Schema>

/**
 * The portal's PostgreSQL database. Each kind of work has its own connections, so that none waits for another: sessions
 * and probes are answered while pages search and the sync writes.
 */
export type Database = {
  /** For sessions, access, audit, probes and commands. */
  readonly kysely: Handle
  /** The pool below `kysely`, for libraries that run their own SQL. */
  readonly pool: Pool
  /** For the partner data on pages. A statement ends after 2 s, with SQLSTATE 57014. */
  readonly pages: Handle
  readonly sync: Handle
  /** Waits for running queries, then closes. May be called twice. */
  readonly close: () => Promise<void>
}

/** Ten connections an instance. One user is at work on at most four pages, which leaves one for the others. */
const connections = { portal: 2, pages: 5, sync: 3 }
const statementMs = { portal: 30_000, pages: 2000, sync: 30_000 }

/** Opens the database at `url`. The first query of each kind connects; nothing is migrated. */
export function openDatabase({ url, logger }: { readonly url: string; readonly logger: Logger }): Database {
  const open = (kind: keyof typeof connections): Pool =>
    openPool(url, logger, { connections: connections[kind], statementMs: statementMs[kind] })
  const [portal, pages, sync] = [open('portal'), open('pages'), open('sync')]
  const handleOf = (pool: Pool): Handle => new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
  let closing: Promise<unknown> | undefined
  return {
    kysely: handleOf(portal),
    pool: portal,
    pages: handleOf(pages),
    sync: handleOf(sync),
    close: async () => {
      await (closing ??= Promise.all([portal.end(), pages.end(), sync.end()]))
    },
  }
}
