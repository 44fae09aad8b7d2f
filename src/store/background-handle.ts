import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import type { Database, Handle } from './database.ts'
import type { Schema } from './schema.ts'

/**
 * A handle for background work that uses at most `maxConnections` of the pool, so that pages always get a connection.
 * Further work waits in a FIFO queue.
 */
export function createBackgroundHandle({ pool }: Pick<Database, 'pool'>, maxConnections: number): Handle {
  const waiting: (() => void)[] = []
  let free = maxConnections

  async function connect(): Promise<PostgresPoolClient> {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      const client = await pool.connect()
      return {
        query: client.query.bind(client) as PostgresPoolClient['query'],
        release: () => {
          client.release()
          release()
        },
      }
    } catch (error) {
      release()
      throw error
    }
  }
  function release(): void {
    const next = waiting.shift()
    if (next) next()
    else free += 1
  }
  return new Kysely<Schema>({
    dialect: new PostgresDialect({ pool: { options: pool.options, connect, end: async () => {} } }),
  })
}
