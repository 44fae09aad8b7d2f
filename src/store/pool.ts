import { type ClientBase, Pool, type PoolClient } from 'pg'
import { DatabaseUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { connectionProblem } from './connection-problem.ts'

/** `connections`: the most at once. `statementMs`: a longer statement ends with SQLSTATE 57014. */
type PoolSettings = {
  readonly connections: number
  readonly statementMs: number
  /** Behind a connection pooler, which cannot keep a statement timeout: sets it for each use of a connection. */
  readonly limitsEachUse: boolean
}

/**
 * Opens a pool, with 5 s to get a connection; parameters in the URL take precedence (`?options=…`). A broken idle
 * connection is logged and replaced.
 */
export function openPool(url: string, logger: Logger, settings: PoolSettings): Pool {
  const pool = new PortalPool(url, settings, logger)
  pool.on('error', (error) => logger.warn({ err: error }, 'database connection lost: idle connection closed'))
  return pool
}

/**
 * What the parsing of dates and SQL literals relies on; PgBouncer restores these settings in each of its modes. No
 * parallel workers: starting them takes longer than most statements of the portal, and they would take the cores from
 * other users. Behind PgBouncer in transaction mode some connections may have them still.
 */
const applySettings = `
  select set_config('datestyle', 'ISO', false), set_config('timezone', 'UTC', false),
    set_config('standard_conforming_strings', 'on', false),
    set_config('max_parallel_workers_per_gather', '0', false),
    current_setting('statement_timeout') as timeout`

type ConnectCallback = Parameters<Pool['connect']>[0]

/**
 * pg.Pool whose connect() and query() throw DatabaseUnavailableError when no connection is available.
 *
 * PgBouncer refuses `statement_timeout` when a client connects, or drops it where the operator lets it. The pool then
 * connects without it, and `limitsEachUse` makes each use of a connection one transaction, which has the timeout.
 */
class PortalPool extends Pool {
  readonly #settings: PoolSettings
  readonly #logger: Logger
  readonly #isOwnTimeout: boolean
  #isPooler = false

  constructor(url: string, settings: PoolSettings, logger: Logger) {
    super({
      connectionString: url,
      application_name: 'partner-portal',
      max: settings.connections,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 60_000,
      statement_timeout: settings.statementMs,
      keepAlive: true,
      onConnect: async (client) => this.#begin(client),
    })
    this.#settings = settings
    this.#logger = logger
    this.#isOwnTimeout = /[?&]statement_timeout=/.test(url)
  }

  override connect(): Promise<PoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    const connected = this.#connect()
    if (!callback) return connected
    connected.then(
      (client) => callback(undefined, client, (error) => client.release(error)),
      (error: Error) => callback(error, undefined, () => {}),
    )
  }

  async #connect(): Promise<PoolClient> {
    try {
      const client = await super.connect().catch(async (error: unknown) => {
        if (!this.#isTimeoutRefused(error)) throw error
        this.#notePooler()
        return super.connect()
      })
      return this.#isPooler && this.#settings.limitsEachUse ? await this.#limited(client) : client
    } catch (cause) {
      throw new DatabaseUnavailableError(`cannot connect to the database: ${connectionProblem(cause)}`, { cause })
    }
  }

  #isTimeoutRefused(error: unknown): boolean {
    return error instanceof Error && /unsupported startup parameter.*statement_timeout/.test(error.message)
  }

  #notePooler(): void {
    if (this.#isPooler) return
    this.#isPooler = true
    Object.assign(this.options, { statement_timeout: undefined })
    if (this.#settings.limitsEachUse)
      this.#logger.info('connection pooler found: pages set their timeout by transaction')
  }

  async #begin(client: ClientBase): Promise<void> {
    const { rows } = await client.query<{ timeout: string }>(applySettings)
    const isKept = rows[0]?.timeout === `${this.#settings.statementMs / 1000}s`
    if (!isKept && !this.#isOwnTimeout) this.#notePooler()
  }

  /** The transaction ends when the connection is released. */
  async #limited(client: PoolClient): Promise<PoolClient> {
    const release = client.release.bind(client)
    client.release = (broken) => {
      client.query('commit').then(() => release(broken), release)
    }
    await client.query(`begin; set local statement_timeout = ${this.#settings.statementMs}`).catch((error: unknown) => {
      release(true)
      throw error
    })
    return client
  }
}
