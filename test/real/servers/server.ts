import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../support/until.ts'

/** A directory for one server's configuration and data, and the processes in it. */
export type Workshop = {
  readonly directory: string
  /** Starts a server in the directory and waits until it accepts connections on the port. */
  readonly serve: (command: string, args: readonly string[], port: number, user?: string) => Promise<ChildProcess>
  /** Prints and counts the outcome of one check. */
  readonly check: (what: string, isRight: boolean, seen?: unknown) => void
  /** What the servers have printed. */
  readonly output: () => string
}

/**
 * Installs Debian packages, runs `work`, and ends what it has started, each process by its id. Sets the exit code.
 * @param packages the first ones' versions are printed
 */
export async function withServers(packages: readonly string[], work: (shop: Workshop) => Promise<void>): Promise<void> {
  install(packages)
  console.log(packages.map((name) => `${name} ${versionOf(name)}`).join(', '))
  const directory = mkdtempSync(join(tmpdir(), 'portal-real-'))
  const children: ChildProcess[] = []
  let [output, failures] = ['', 0]
  const shop: Workshop = {
    directory,
    output: () => output,
    check: (what, isRight, seen) => {
      console.log(`${isRight ? 'ok    ' : 'FAILED'} ${what}`)
      if (isRight) return
      failures += 1
      console.log(`       ${String(seen)}`)
    },
    serve: async (command, args, port, user) => {
      const identity = user === undefined ? {} : idsOf(user)
      const child = spawn(command, args, { cwd: directory, ...identity })
      children.push(child)
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
      await until(async () => {
        if (child.exitCode !== null) throw new Error(`${command} has ended:\n${output.slice(-2000)}`)
        return accepts(port)
      })
      return child
    },
  }
  try {
    await work(shop)
  } finally {
    for (const child of children.toReversed()) await end(child)
    rmSync(directory, { recursive: true, force: true })
  }
  process.exitCode = failures === 0 ? 0 : 1
}

function install(packages: readonly string[]): void {
  const missing = packages.filter((name) => versionOf(name) === '')
  if (missing.length === 0) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env, stdio: 'ignore' })
}

function versionOf(name: string): string {
  try {
    return execFileSync('dpkg-query', ['-W', '-f', '${Version}', name], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString()
  } catch {
    return ''
  }
}

/** The numbers of a user, for servers that refuse to run as root. */
export function idsOf(user: string): { readonly uid: number; readonly gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, user]).toString())
  return { uid: id('-u'), gid: id('-g') }
}

/** Gives a path to a user. */
export function give(path: string, user: string): void {
  const { uid, gid } = idsOf(user)
  chownSync(path, uid, gid)
}

/** The files of a private CA's certificate, and of a certificate for 127.0.0.1 that it has signed. */
export type Certificates = { readonly authority: string; readonly certificate: string; readonly key: string }

/** Makes a private CA, and a certificate for 127.0.0.1. */
export function makeCertificates(directory: string): Certificates {
  const made = (name: string): string => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const subject = ['-nodes', '-newkey', 'rsa:2048', '-days', '2', '-subj']
  openssl('req', '-x509', ...subject, '/CN=Private CA', '-keyout', made('ca.key'), '-out', made('ca.crt'))
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1']
  const signed = ['-CA', made('ca.crt'), '-CAkey', made('ca.key')]
  const leaf = ['-keyout', made('server.key'), '-out', made('server.crt')]
  openssl('req', '-x509', ...subject, '/CN=127.0.0.1', ...names, ...signed, ...leaf)
  return { authority: made('ca.crt'), certificate: made('server.crt'), key: made('server.key') }
}

/** A port that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  })
  socket.destroy()
  return isOpen
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill('SIGINT')
  await ended
}
