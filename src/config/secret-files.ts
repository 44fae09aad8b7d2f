import { realpathSync, statSync } from 'node:fs'

/**
 * Container runtimes mount secrets here, readable by every user in the container (0444 and owned by root, with Docker).
 * As the container is the portal's alone, read permission is not checked here.
 */
const mounted = '/run/secrets/'

/** Permission bits that secret files must not have, and the chmod that removes them. */
const forbidden = [
  { bits: 0o004, problem: 'every user of this machine can read it', chmod: 'o-r' },
  { bits: 0o002, problem: 'every user of this machine can write it', chmod: 'o-w' },
  { bits: 0o020, problem: 'its group can write it', chmod: 'g-w' },
]

/**
 * The problem with a file's permissions, and the chmod that fixes it: others must not read it, and only the owner may
 * write it; the group may read. Undefined when there is none, when the file does not exist (reported elsewhere), and on
 * Windows.
 */
export function secretFileProblem(path: string): string | undefined {
  if (process.platform === 'win32') return undefined
  let mode: number
  let real: string
  try {
    real = realpathSync(path)
    mode = statSync(real).mode
  } catch {
    return undefined
  }
  const found = forbidden.filter(({ bits }) => (mode & bits) !== 0 && !(bits === 0o004 && real.startsWith(mounted)))
  if (found.length === 0) return undefined
  const problems = found.map(({ problem }) => problem).join(', ')
  return `(${path}) holds secrets and is not private: ${problems}. Run: chmod ${found.map(({ chmod }) => chmod).join(',')} ${path}`
}
