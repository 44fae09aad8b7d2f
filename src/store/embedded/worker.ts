import { openAsBlob } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'

/** What the pool tells the worker to start with; no directory means a database in memory, `snapshot` a dump of one. */
export type WorkerSettings = { readonly directory?: string; readonly snapshot?: string }

/** To the worker: bytes of PostgreSQL's protocol, in whole messages; `close` ends the database and the worker. */
export type ToWorker = Uint8Array | 'close'

/** From the worker: `ready` once, one `answer` to each message, `closed` at the end; `failed` is final. */
export type FromWorker =
  | { readonly kind: 'ready' | 'closed' }
  | { readonly kind: 'answer'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly reason: string }

const port = parentPort
if (!port) throw new Error('worker.ts runs in a worker thread')

const tell = (message: FromWorker): void =>
  port.postMessage(message, message.kind === 'answer' ? [message.bytes.buffer] : [])

const start = async (): Promise<PGlite> => {
  const { directory, snapshot }: WorkerSettings = workerData
  return PGlite.create({
    extensions: { pg_trgm },
    ...(directory !== undefined && { dataDir: directory }),
    ...(snapshot !== undefined && { loadDataDir: await openAsBlob(snapshot) }),
  })
}

/** What PGlite returns may be a view of its own memory, which must not be handed away. */
const answer = async (database: PGlite, message: Uint8Array): Promise<void> =>
  tell({ kind: 'answer', bytes: Uint8Array.from(await database.execProtocolRaw(message)) })

const close = async (database: PGlite): Promise<void> => {
  await database.close()
  tell({ kind: 'closed' })
  port.close()
}

const fail = (error: unknown): void =>
  tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) })

try {
  const database = await start()
  port.on('message', (message: ToWorker) => {
    void (message === 'close' ? close(database) : answer(database, message)).catch(fail)
  })
  tell({ kind: 'ready' })
} catch (error) {
  fail(error)
}
