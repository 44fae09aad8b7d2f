import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Client, type QueryResult } from 'pg'
import { DatabaseUnavailableError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { lockDataDir } from './lock.ts'
import { WorkerStream } from './stream.ts'

/** The one session, for as long as its holder keeps it; queries after release() are refused. */
export type EmbeddedClient = {
  query(text: string, values?: readonly unknown[]): Promise<QueryResult>
  /** Rolls back what is open, then serves the next. @throws Error when called twice, as pg does */
  release(destroy?: boolean): void
}

type Waiter = { readonly serve: (client: EmbeddedClient) => void; readonly refuse: (error: Error) => void }

const defaultAcquireTimeout = 10_000

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/**
 * The part of pg.Pool that Kysely's PostgresDialect and connect-pg-simple use, over PGlite's single session:
 * whoever asks first is served first. Open one with openEmbeddedPool().
 */
export class EmbeddedPool {
  /** Kysely reads it, to open a second session that could cancel a query; there is none here. */
  readonly options = {}
  readonly #session: Client
  readonly #acquireTimeoutMs: number
  readonly #closed: () => void
  readonly #waiters: Waiter[] = []
  #taken = false
  #failure: Error | undefined
  #ending: Promise<void> | undefined

  constructor(session: Client, acquireTimeoutMs: number, closed: () => void) {
    this.#session = session
    this.#acquireTimeoutMs = acquireTimeoutMs
    this.#closed = closed
  }

  /** @throws DatabaseUnavailableError when not served in time, or when the database has stopped */
  async connect(): Promise<EmbeddedClient> {
    if (this.#ending) throw new Error('Cannot use a pool after calling end on the pool')
    return this.#acquire(this.#acquireTimeoutMs)
  }

  /** One statement on its own. @throws what connect() throws, and pg's DatabaseError */
  async query(text: string, values?: readonly unknown[]): Promise<QueryResult> {
    const client = await this.connect()
    try {
      return await client.query(text, values)
    } finally {
      client.release()
    }
  }

  /** Serves who waits, closes the database and its thread, and gives back the lock. May be called twice. */
  end(): Promise<void> {
    this.#ending ??= this.#close()
    return this.#ending
  }

  /** Refuses everybody, now and from now on. */
  fail(error: Error): void {
    this.#failure ??= error
    for (const { refuse } of this.#waiters.splice(0)) refuse(this.#failure)
  }

  #acquire(timeoutMs?: number): Promise<EmbeddedClient> {
    if (this.#failure) return Promise.reject(this.#failure)
    const { promise, resolve, reject } = Promise.withResolvers<EmbeddedClient>()
    const waiter: Waiter = { serve: resolve, refuse: reject }
    this.#waiters.push(waiter)
    this.#serveNext()
    if (timeoutMs === undefined) return promise
    const timer = setTimeout(() => {
      const position = this.#waiters.indexOf(waiter)
      if (position === -1) return
      this.#waiters.splice(position, 1)
      reject(
        new DatabaseUnavailableError(
          `the embedded database has one session, and it was not free within ${timeoutMs} ms: ` +
            `inside a transaction use the transaction's own handle, and release every client`,
        ),
      )
    }, timeoutMs)
    return promise.finally(() => clearTimeout(timer))
  }

  #serveNext(): void {
    if (this.#taken) return
    const waiter = this.#waiters.shift()
    if (!waiter) return
    this.#taken = true
    waiter.serve(this.#lend())
  }

  /** A new object each time: Kysely never again uses one that it released with `destroy`. */
  #lend(): EmbeddedClient {
    let released = false
    return {
      query: async (text, values) => {
        if (released) throw new Error('The client was released to the pool: it cannot query any more')
        if (this.#failure) throw this.#failure
        return values ? this.#session.query(text, [...values]) : this.#session.query(text)
      },
      release: () => {
        if (released) throw new Error('Release called on client which has already been released to the pool.')
        released = true
        void this.#takeBack()
      },
    }
  }

  async #takeBack(): Promise<void> {
    if (!this.#failure)
      await this.#session.query('rollback').catch((error: unknown) => this.fail(asError(error)))
    this.#taken = false
    this.#serveNext()
  }

  async #close(): Promise<void> {
    await this.#acquire().catch(() => undefined)
    await this.#session.end()
    this.fail(new Error('Cannot use a pool after calling end on the pool'))
    this.#closed()
  }
}

/**
 * Opens PGlite in a worker thread: in `dataDir`/database, which only one process may hold, or in memory. For demo,
 * development and trial: PGlite does not fsync, so a power cut may cost what was written last.
 *
 * @param acquireTimeoutMs how long connect() and query() wait for the one session; 10 s unless told
 * @throws DatabaseUnavailableError when another process has the directory, or it cannot be used
 */
export const openEmbeddedPool = async (settings: {
  readonly dataDir: string
  readonly acquireTimeoutMs?: number
  readonly logger?: Logger
}): Promise<EmbeddedPool> => {
  const { dataDir, acquireTimeoutMs = defaultAcquireTimeout, logger } = settings
  const inMemory = dataDir === 'memory'
  const unlock = inMemory ? () => undefined : lockDataDir(dataDir)
  const directory = join(dataDir, 'database')
  try {
    if (!inMemory) mkdirSync(directory, { recursive: true, mode: 0o700 })
    const stream = new WorkerStream(inMemory ? {} : { directory })
    const session = new Client({ stream: () => stream, ssl: false, password: '' })
    const pool = new EmbeddedPool(session, acquireTimeoutMs, unlock)
    session.on('error', (error) => {
      logger?.error({ err: error }, 'the embedded database has stopped')
      pool.fail(error)
    })
    await session.connect()
    return pool
  } catch (cause) {
    unlock()
    throw cause instanceof DatabaseUnavailableError
      ? cause
      : new DatabaseUnavailableError(`the embedded database in ${dataDir} cannot be opened`, { cause })
  }
}
