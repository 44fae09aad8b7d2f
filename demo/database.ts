import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DatabaseUnavailableError } from '../src/errors.ts'
import type { DatabaseReport, DatabaseSettings } from './database-process.ts'

/** PostgreSQL where there is none: PGlite, in a process of its own. */
export type DatabaseServer = {
  /** A DATABASE_URL; only this user of this machine can reach it. */
  readonly url: string
  readonly stop: () => Promise<void>
  /** Resolves when it ends without being told to. */
  readonly died: Promise<void>
}

/** How long a statement that runs may hold up the end. */
const stopMs = 5000

/** Linux takes 107 bytes for the path of a socket, macOS 103. */
const longestPath = 103

/**
 * Starts PGlite on a UNIX socket in a directory. It ends with this process, however that dies.
 * @param settings.keep whether the database is kept in the directory; otherwise it is in memory
 * @param settings.reset throws away first what is in the directory
 * @param settings.execArgv for node
 * @returns undefined when another process has the directory
 * @throws DatabaseUnavailableError when the directory cannot be used
 */
export async function startDatabase(settings: {
  readonly directory: string
  readonly keep?: boolean
  readonly reset?: boolean
  readonly execArgv?: string[]
}): Promise<DatabaseServer | undefined> {
  const { keep = false, reset = false, execArgv = [] } = settings
  const directory = resolve(settings.directory)
  const socket = join(directory, '.s.PGSQL.5432')
  if (Buffer.byteLength(socket) > longestPath)
    throw new DatabaseUnavailableError(`${directory} is too long a path for a UNIX socket: use a shorter one`)
  const entry = fileURLToPath(new URL('database-process.ts', import.meta.url))
  const child = fork(entry, { execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const { promise: died, resolve: tellDied } = Promise.withResolvers<void>()
  const ended = once(child, 'exit').then(([code]) => ({ problem: `its process ended with ${code}` }))
  const stop = async (): Promise<void> => {
    child.off('exit', tellDied)
    if (child.connected) child.disconnect()
    const late = setTimeout(() => child.kill('SIGKILL'), stopMs)
    await ended
    clearTimeout(late)
  }
  child.send({ directory, keep, reset, socket } satisfies DatabaseSettings)
  const reported = once(child, 'message').then(([message]) => message as DatabaseReport)
  const report = await Promise.race([reported, ended])
  if (report === 'ready') {
    child.once('exit', tellDied)
    return { url: `postgres://postgres@localhost/postgres?host=${encodeURIComponent(directory)}`, stop, died }
  }
  await stop()
  if (report === 'in use') return undefined
  const remedy = 'npm run demo -- --reset starts afresh'
  if (report === 'another version')
    throw new DatabaseUnavailableError(`${directory} was written by another version of the demo: ${remedy}`)
  throw new DatabaseUnavailableError(`the database in ${directory} cannot be opened: ${report.problem}; ${remedy}`)
}
