import { hash } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { PGLiteSocketHandler, type PGLiteSocketHandlerOptions } from '@electric-sql/pglite-socket'
import { describeFailure } from './failure.ts'
import { SharedSession } from './shared-session.ts'

/** The first message to this process. */
export type DatabaseSettings = {
  /** Created when missing; only its owner may access it. */
  readonly directory: string
  readonly keep: boolean
  readonly reset: boolean
  readonly socket: string
}

/** The answer to the first message. */
export type DatabaseReport = 'ready' | 'in use' | 'another version' | { readonly problem: string }

// The parent ends this process by disconnecting; Ctrl-C reaches both, and is left to the parent.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
process.once('disconnect', leave)
process.once('message', (settings: DatabaseSettings) => {
  start(settings).then(
    (report) => process.send?.(report),
    (error: unknown) => process.send?.({ problem: describeFailure(error) ?? String(error) }),
  )
})

async function start(settings: DatabaseSettings): Promise<DatabaseReport> {
  const { directory, keep, reset, socket } = settings
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  chmodSync(directory, 0o700)
  if (!lock(join(directory, lockName))) return 'in use'
  if (reset) empty(directory)
  const name = databaseName()
  const found = readdirSync(directory).filter((file) => file.startsWith('database'))
  if (found.some((file) => file !== name)) return 'another version'
  const database = await PGlite.create({
    extensions: { pg_trgm },
    ...(keep && { dataDir: join(directory, name) }),
  })
  await listen(database, socket)
  process.off('disconnect', leave).once('disconnect', () => void database.close().finally(leave))
  return 'ready'
}

function leave(): void {
  process.exit()
}

const lockName = 'demo.lock'
const sqliteBusy = 5
/** A killed process releases its lock a moment later. */
const lockTimeoutMs = 2000

/** Takes a kernel lock through SQLite, as Node has no flock. It is released when the process ends in any way. */
function lock(path: string): boolean {
  const file = new DatabaseSync(path)
  try {
    file.exec(`pragma busy_timeout = ${lockTimeoutMs}; pragma locking_mode = exclusive; begin exclusive`)
    // The handler keeps the file from garbage collection.
    process.once('exit', () => file.close())
    return true
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return false
    throw error
  }
}

function empty(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(lockName)) rmSync(join(directory, name), { recursive: true, force: true })
  }
}

/** The name contains a hash of the migrations, so that the database of another version is not opened. */
function databaseName(): string {
  const migrations = new URL('../src/store/migrations/', import.meta.url)
  const sources = readdirSync(migrations).map((name) => readFileSync(new URL(name, migrations), 'utf8'))
  return `database-${hash('sha256', sources.join('\n')).slice(0, 8)}`
}

async function listen(database: PGlite, path: string): Promise<void> {
  const session: unknown = await SharedSession.open(database)
  // The package does not export its queue's type.
  const queryQueue = session as PGLiteSocketHandlerOptions['queryQueue']
  const server = createServer((socket) => {
    void new PGLiteSocketHandler({ queryQueue, closeOnDetach: true }).attach(socket)
  })
  // A killed process leaves its socket behind; a running one would hold the lock.
  rmSync(path, { force: true })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(path, resolve)
  await promise
}
