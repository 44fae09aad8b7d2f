import { Pool, type PoolClient } from 'pg'
import { DatabaseUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'

/**
 * Opens a pool, with 5 s to get a connection; parameters in the URL take precedence (`?options=…`). A broken idle
 * connection is logged and replaced.
 */
export function openPool(
  url: string,
  logger: Logger,
  { connections, statementMs }: { readonly connections: number; readonly statementMs: number },
): Pool {
  const pool = new PortalPool({
    connectionString: url,
    application_name: 'partner-portal',
    max: connections,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: statementMs,
    keepAlive: true,
  })
  pool.on('error', (error) => logger.warn({ err: error }, 'database connection lost: idle connection closed'))
  return pool
}

type ConnectCallback = Parameters<Pool['connect']>[0]

/** pg.Pool whose connect() and query() throw DatabaseUnavailableError when no connection is available. */
class PortalPool extends Pool {
  override connect(): Promise<PoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    if (callback) return super.connect((error, client, done) => callback(error && unavailable(error), client, done))
    return super.connect().catch((cause: unknown) => {
      throw unavailable(cause)
    })
  }
}

/** The cause is for the log; the message must not contain the URL, which has the password. */
function unavailable(cause: unknown): DatabaseUnavailableError {
  return new DatabaseUnavailableError('cannot connect to the database of DATABASE_URL', { cause })
}
