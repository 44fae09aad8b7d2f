import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DatabaseUnavailableError } from '../src/errors.ts'
import type { DatabaseReport, DatabaseSettings } from './database-process.ts'

/** An embedded PostgreSQL (PGlite) in a process of its own. */
export type DatabaseServer = {
  /** A DATABASE_URL that only this user of this machine can reach. */
  readonly url: string
  readonly stop: () => Promise<void>
  /** Resolves when the process ends unexpectedly. */
  readonly died: Promise<void>
}

/** How long a running statement may delay the stop. */
const stopMs = 5000

/** The maximum length of a socket path: 107 bytes on Linux, 103 on macOS. */
const longestPath = 103

/**
 * Starts PGlite on a UNIX socket in a directory. It ends with this process.
 * @param settings.keep stores the database in the directory; otherwise it is in memory
 * @param settings.reset deletes the content of the directory first
 * @param settings.execArgv options for node
 * @returns undefined when another process uses the directory
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
    throw new DatabaseUnavailableError(
      `${directory} is too long for the path of a UNIX socket: use a shorter directory`,
    )
  const entry = fileURLToPath(new URL('database-process.ts', import.meta.url))
  const child = fork(entry, { execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const { promise: died, resolve: reportDied } = Promise.withResolvers<void>()
  const ended = once(child, 'exit').then(([code]) => ({ problem: `its process ended with ${code}` }))
  const stop = async (): Promise<void> => {
    child.off('exit', reportDied)
    if (child.connected) child.disconnect()
    const late = setTimeout(() => child.kill('SIGKILL'), stopMs)
    await ended
    clearTimeout(late)
  }
  child.send({ directory, keep, reset, socket } satisfies DatabaseSettings)
  const reported = once(child, 'message').then(([message]) => message as DatabaseReport)
  const report = await Promise.race([reported, ended])
  if (report === 'ready') {
    child.once('exit', reportDied)
    return { url: `postgres://postgres@localhost/postgres?host=${encodeURIComponent(directory)}`, stop, died }
  }
  await stop()
  if (report === 'in use') return undefined
  const remedy = 'npm run demo -- --reset starts afresh'
  if (report === 'another version')
    throw new DatabaseUnavailableError(`${directory} was written by another version of the demo: ${remedy}`)
  throw new DatabaseUnavailableError(`the database in ${directory} cannot be opened: ${report.problem}; ${remedy}`)
}
