import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Visitor } from './visitor.ts'

/** What the portal is at the provider. */
export type Registration = { readonly portalUrl: string; readonly clientSecret: string; readonly publicKeys: object }

/** A running OpenID Connect provider with the portal as its client, and one user. */
export type RealProvider = {
  /** With its version. */
  readonly name: string
  readonly issuer: string
  /** The portal's variables that this provider needs. */
  readonly env: Readonly<Record<string, string>>
  /** Whether private_key_jwt works with each value of OIDC_CLIENT_JWT_AUDIENCE; none where the provider lacks it. */
  readonly audiences: Readonly<Record<string, boolean>>
  readonly user: { readonly name: string; readonly email: string }
  /** Signs in from the authorization request to the redirect to the portal. */
  readonly signIn: (visitor: Visitor, request: URL) => Promise<Answer>
  /** Ends the session at the provider from the logout request to the redirect to the portal. */
  readonly signOut: (visitor: Visitor, request: URL) => Promise<Answer>
  /** Ends the session at the provider, which then tells the portal; absent where it cannot. */
  readonly endSession?: (visitor: Visitor) => Promise<void>
  readonly stop: () => Promise<void>
}

/** Installs Debian packages unless they are there. */
export async function install(packages: readonly string[]): Promise<void> {
  const missing: string[] = []
  for (const name of packages) if ((await run('dpkg', ['-s', name])).code !== 0) missing.push(name)
  if (missing.length === 0) return
  const { code, output } = await run('apt-get', ['install', '-y', '--no-install-recommends', ...missing])
  if (code !== 0) throw new Error(`apt-get install ${missing.join(' ')} failed:\n${output.slice(-2000)}`)
}

/** The installed version of a Debian package. */
export async function versionOf(name: string): Promise<string> {
  const { output } = await run('dpkg-query', ['-W', '-f', '${Version}', name])
  return `${name} ${output}`
}

/** Runs a command to its end. */
export async function run(
  command: string,
  args: readonly string[],
  input = '',
): Promise<{ code: number; output: string }> {
  const child = spawn(command, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? 1, output }
}

/** Starts a server and waits until `url` answers. @returns a function that ends it */
export async function serve(
  command: string,
  args: readonly string[],
  cwd: string,
  url: string,
): Promise<() => Promise<void>> {
  const child = spawn(command, args, { cwd })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = once(child, 'close')
  for (let tries = 0; ; tries += 1) {
    const response = await fetch(url).catch(() => undefined)
    await response?.arrayBuffer()
    if (response?.ok) break
    if (child.exitCode !== null || tries > 300) throw new Error(`${command} does not answer:\n${output.slice(-2000)}`)
    await sleep(100)
  }
  return async () => {
    child.kill()
    await ended
  }
}
