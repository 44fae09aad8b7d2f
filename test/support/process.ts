import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

const repository = resolve(import.meta.dirname, '../..')

/** A started process and its output so far. */
export type Running = {
  readonly child: ChildProcess
  readonly output: () => string
  /** Resolves to the first match in its output; rejects when the process ends before. */
  readonly says: (pattern: RegExp) => Promise<RegExpExecArray>
  /** Resolves to the exit code. */
  readonly ended: Promise<number | null>
}

/** Starts `node <entry>` in `cwd` with exactly this environment, as an npm script would. */
export function start(
  entry: string,
  options: {
    readonly cwd: string
    readonly env?: Readonly<Record<string, string>>
    readonly args?: readonly string[]
    /** Arguments for node itself. */
    readonly execArgv?: readonly string[]
  },
): Running {
  const child = spawn(
    process.execPath,
    [...(options.execArgv ?? []), resolve(repository, entry), ...(options.args ?? [])],
    {
      cwd: options.cwd,
      env: { PATH: process.env['PATH'] ?? '', ...options.env },
    },
  )
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    child,
    output: () => printed,
    ended,
    says: async (pattern) => {
      for (;;) {
        const match = pattern.exec(printed)
        if (match) return match
        const over = await Promise.race([
          once(child.stdout, 'data').then(() => false),
          once(child.stderr, 'data').then(() => false),
          ended.then(() => true),
        ])
        const last = pattern.exec(printed)
        if (last) return last
        if (over) throw new Error(`ended without saying ${pattern}:\n${printed}`)
      }
    },
  }
}
