import { realpathSync, statSync } from 'node:fs'

/**
 * Where container runtimes put secrets, readable by every user in the container (0444 and root's, with Docker), which is
 * the portal's alone: there the bits say nothing.
 */
const mounted = '/run/secrets/'

/** What a file of secrets must not let others do, and how chmod takes it away. */
const wrongs = [
  { bits: 0o004, words: 'every user of this machine can read it', chmod: 'o-r' },
  { bits: 0o002, words: 'every user of this machine can write it', chmod: 'o-w' },
  { bits: 0o020, words: 'its group can write it', chmod: 'g-w' },
]

/**
 * Why a file is not private enough for secrets, in words and with the command that mends it: others may not read it,
 * and nobody but its owner may write it. The group may read. Undefined when all is well, when there is no such file
 * (which is for others to say), and on Windows, which has no such bits.
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
  const found = wrongs.filter(({ bits }) => (mode & bits) !== 0 && !(bits === 0o004 && real.startsWith(mounted)))
  if (found.length === 0) return undefined
  const words = found.map((wrong) => wrong.words).join(', ')
  return `(${path}) holds secrets and is not private: ${words}. Mend it with: chmod ${found.map(({ chmod }) => chmod).join(',')} ${path}`
}
