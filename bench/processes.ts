import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The resources of the run, released by `endAll` in reverse order. */
export const cleanup = new AsyncDisposableStack()
let ending: Promise<void> | undefined
/** Releases all resources of the run. */
export async function endAll(): Promise<void> {
  return (ending ??= cleanup.disposeAsync())
}

/** The temporary directory of the run. */
export const directory = mkdtempSync(join(tmpdir(), 'portal-bench-'))
cleanup.defer(() => rmSync(directory, { recursive: true, force: true }))

/** A process started by `startProcess`. */
export type RunningProcess = Awaited<ReturnType<typeof startProcess>>

/** Starts node with these arguments, with src/ and bench/ resolved to the repository; waits until `url` answers 200. */
export async function startProcess(args: readonly string[], env: Record<string, string>, url: string) {
  const resolved = args.map((arg) =>
    /^(\.\/)?(src|bench)\//.test(arg) ? resolve(import.meta.dirname, '..', arg) : arg,
  )
  const began = performance.now()
  const child = spawn(process.execPath, resolved, {
    // Not the repository, whose .env must not be read.
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', process.env['BENCH_LOG'] ? 'inherit' : 'ignore', 'inherit'],
  })
  const ended = once(child, 'exit')
  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    child.kill(signal)
    await ended
  }
  cleanup.defer(async () => stop('SIGKILL'))
  while (!(await fetch(url).catch(() => undefined))?.ok) {
    if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended with ${child.exitCode}`)
    await sleep(5)
  }
  const readyMs = performance.now() - began
  return { readyMs, cpuMs: () => cpuMsOf(child.pid), residentMb: () => residentMbOf(child.pid), stop }
}

/** CPU time of all threads: fields 12 and 13 after the name in parentheses, in hundredths of a second. */
function cpuMsOf(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function residentMbOf(pid: number | undefined): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return String(port)
}
