import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import type { Database, Handle } from './database.ts'
import type { Schema } from './schema.ts'

/**
 * A handle for background work that uses at most `maxConnections` of the pool's at once, so that pages always find
 * one. Work beyond that waits here, first come, first served.
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
          giveBack()
        },
      }
    } catch (error) {
      giveBack()
      throw error
    }
  }
  function giveBack(): void {
    const next = waiting.shift()
    if (next) next()
    else free += 1
  }
  return new Kysely<Schema>({
    dialect: new PostgresDialect({ pool: { options: pool.options, connect, end: async () => {} } }),
  })
}
