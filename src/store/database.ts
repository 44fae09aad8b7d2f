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

const statementMs = { portal: 30_000, pages: 2000, sync: 30_000 }

/**
 * Opens the database at `url`. The first query of each kind connects; nothing is migrated.
 * @param connections the most at once of this instance, for all kinds
 */
export function openDatabase({
  url,
  logger,
  connections = 10,
}: {
  readonly url: string
  readonly logger: Logger
  readonly connections?: number
}): Database {
  const shares = sharesOf(connections)
  const open = (kind: keyof typeof shares): Pool =>
    openPool(url, logger, {
      connections: shares[kind],
      statementMs: statementMs[kind],
      // The others run transactions of their own, and nobody waits for their statements.
      limitsEachUse: kind === 'pages',
    })
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

/** Of ten, five are for pages: one user is at work on at most two, each with one connection at a time. */
function sharesOf(connections: number) {
  const portal = Math.max(2, Math.floor(connections / 5))
  const sync = Math.max(2, Math.floor((connections * 3) / 10))
  return { portal, sync, pages: connections - portal - sync }
}
