import { Pool, type PoolClient } from 'pg'
import { DatabaseUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'

/**
 * At most 10 connections, 5 s to get one, 30 s a statement; what the URL says comes first (`?options=…`). An idle
 * connection that breaks is logged and replaced.
 */
export function openPool(url: string, logger: Logger): Pool {
  const pool = new PortalPool({
    connectionString: url,
    application_name: 'partner-portal',
    max: 10,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    keepAlive: true,
  })
  pool.on('error', (error) => logger.warn({ err: error }, 'an idle database connection broke'))
  return pool
}

type ConnectCallback = Parameters<Pool['connect']>[0]

/** pg.Pool whose connect() and query() throw DatabaseUnavailableError when no connection can be had. */
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

/** The cause is for the log; the message must not carry the URL, which has the password. */
function unavailable(cause: unknown): DatabaseUnavailableError {
  return new DatabaseUnavailableError('the PostgreSQL of DATABASE_URL cannot be reached or used', { cause })
}
