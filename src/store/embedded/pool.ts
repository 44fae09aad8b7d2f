import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { DatabaseUnavailableError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { lockDataDir } from './lock.ts'
import { EmbeddedPool } from './session-pool.ts'
import { WorkerStream } from './stream.ts'

const defaultAcquireTimeout = 10_000

const memory = ':memory:'

/** Whether a DATA_DIR asks for a database that is gone with the process; there is no directory then. */
export const isInMemory = (dataDir: string): boolean => dataDir.startsWith(memory)

/**
 * Opens PGlite in a worker thread: in `dataDir`/database, which only one process may hold, or in memory. For demo,
 * development and trial: PGlite does not fsync, so a power cut may cost what was written last.
 *
 * `dataDir` may be `:memory:`, or `:memory:<file>` for one that begins as a dump of PGlite's, which is much quicker
 * than an empty one and what the tests do.
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
  const inMemory = isInMemory(dataDir)
  const snapshot = dataDir.slice(memory.length)
  const unlock = inMemory ? () => undefined : lockDataDir(dataDir)
  const directory = join(dataDir, 'database')
  try {
    if (!inMemory) mkdirSync(directory, { recursive: true, mode: 0o700 })
    const stream = new WorkerStream(inMemory ? { ...(snapshot && { snapshot }) } : { directory })
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
