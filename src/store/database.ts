import { type DatabaseIntrospector, Kysely, PostgresDialect, sql } from 'kysely'
import type { Pool } from 'pg'
import type { Logger } from '../logger.ts'
import { openEmbeddedPool } from './embedded/pool.ts'
import { openPostgresqlPool } from './postgresql-pool.ts'
import type { Schema } from './schema.ts'

/** What store functions take: the database's `kysely`, or a transaction's handle inside that transaction. */
export type Handle = Kysely<Schema>

/** The portal's database, whichever of the two it is: one dialect, one set of migrations, the same types. */
export type Database = {
  readonly kysely: Handle
  /** For connect-pg-simple. The embedded one has connect(), query() with promises, options and end(), no events. */
  readonly pool: Pool
  readonly kind: 'postgresql' | 'embedded'
  /** @throws DatabaseUnavailableError or pg's DatabaseError when the database does not answer */
  ping(): Promise<void>
  /** Waits for work under way, then closes. May be called twice. */
  close(): Promise<void>
}

/**
 * Kysely's own introspection reads every column of every schema, and fails when another program drops a table meanwhile.
 * Only the migrator asks, and only whether its own tables are there.
 */
class Dialect extends PostgresDialect {
  override createIntrospector(db: Handle): DatabaseIntrospector {
    const tables = sql<{ name: string; schema: string }>`
      select tablename as name, schemaname as schema from pg_catalog.pg_tables where schemaname = current_schema()`
    const schemas = sql<{ name: string }>`select nspname as name from pg_catalog.pg_namespace`
    return {
      getSchemas: async () => (await schemas.execute(db)).rows,
      getTables: async () =>
        (await tables.execute(db)).rows.map((table) => ({
          ...table,
          isView: false,
          isForeign: false,
          columns: [],
        })),
    }
  }
}

/** The embedded pool has the part of pg.Pool that this process uses. */
const openPool = async (url: string | undefined, dataDir: string, logger: Logger): Promise<Pool> => {
  if (url !== undefined) return openPostgresqlPool(url, logger)
  const pool: unknown = await openEmbeddedPool({ dataDir, logger })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above: a part of the type, on purpose
  return pool as Pool
}

/**
 * Opens PostgreSQL at `url`, or without one the embedded database in `dataDir` (`:memory:`: nothing is kept). Does
 * not migrate; PostgreSQL is first reached by the first query.
 *
 * @throws DatabaseUnavailableError when another process has `dataDir`, or it cannot be used
 */
export const openDatabase = async (settings: {
  readonly url?: string | undefined
  readonly dataDir: string
  readonly logger: Logger
}): Promise<Database> => {
  const { url, dataDir, logger } = settings
  const pool = await openPool(url, dataDir, logger)
  let closing: Promise<void> | undefined
  return {
    kysely: new Kysely<Schema>({ dialect: new Dialect({ pool }) }),
    pool,
    kind: url === undefined ? 'embedded' : 'postgresql',
    ping: async () => {
      await pool.query('select 1')
    },
    close: () => (closing ??= pool.end()),
  }
}
