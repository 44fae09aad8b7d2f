import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DatabaseUnavailableError } from '../../errors.ts'

const sqliteBusy = 5

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy

/** SQLite would create the file readable by everybody. Never opened when it exists: closing would drop the lock. */
const createPrivately = (path: string): void => {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/**
 * Takes `dataDir` for this process, creating it (mode 0700) when it is missing. The lock is the kernel's, on
 * `name` in it, held through SQLite as Node has no flock of its own: it ends with the process however that
 * dies, so there is nothing stale to clean up and no process id to guess about. Local file systems only.
 *
 * @returns gives the lock back; may be called twice
 * @throws DatabaseUnavailableError when another portal has the directory, or it cannot be written
 */
export const lockDataDir = (dataDir: string, name = 'embedded.lock'): (() => void) => {
  const path = join(dataDir, name)
  let file: DatabaseSync | undefined
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    createPrivately(path)
    file = new DatabaseSync(path)
    file.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    file?.close()
    const reason = isBusy(cause)
      ? `another portal uses the embedded database in ${dataDir}; stop it, or set another DATA_DIR or a DATABASE_URL`
      : `the embedded database cannot use ${dataDir}: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new DatabaseUnavailableError(reason, { cause })
  }
  const held = file
  return () => {
    if (held.isOpen) held.close()
  }
}
