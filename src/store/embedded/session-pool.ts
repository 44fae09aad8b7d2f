import type { Client, QueryResult } from 'pg'
import { DatabaseUnavailableError } from '../../errors.ts'

/** The one session, for as long as its holder keeps it; queries after release() are refused. */
export type EmbeddedClient = {
  query(text: string, values?: readonly unknown[]): Promise<QueryResult>
  /** Rolls back what is open, then serves the next. @throws Error when called twice, as pg does */
  release(destroy?: boolean): void
}

type Waiter = { readonly serve: (client: EmbeddedClient) => void; readonly refuse: (error: Error) => void }

const closed = () => new DatabaseUnavailableError('the embedded database is closed')

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
  readonly #unlock: () => void
  readonly #waiters: Waiter[] = []
  #taken = false
  #failure: Error | undefined
  #ending: Promise<void> | undefined

  constructor(session: Client, acquireTimeoutMs: number, unlock: () => void) {
    this.#session = session
    this.#acquireTimeoutMs = acquireTimeoutMs
    this.#unlock = unlock
  }

  /** @throws DatabaseUnavailableError when not served in time, or when the database has stopped */
  async connect(): Promise<EmbeddedClient> {
    if (this.#ending) throw closed()
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
    this.fail(closed())
    this.#unlock()
  }
}
