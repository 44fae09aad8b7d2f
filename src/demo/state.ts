import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseUnavailableError } from '../errors.ts'
import { lockDataDir } from '../store/embedded/lock.ts'

/** What the demo keeps between starts beside the database: ports, and the secrets it made up for itself. */
export type DemoState = {
  ports: { portal: number; eid: number; managementApi: number }
  clientSecret: string
  sessionSecret: string
  cookieKey: string
  signingKey: Record<string, unknown>
  /** Issuers for which the demo people have been given their grants: a user ID depends on the issuer. */
  seeded: string[]
}

/** Signing key for the demo eID's ID tokens (ES256), as a private JWK. */
export const newSigningKey = (): Record<string, unknown> => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    ...privateKey.export({ format: 'jwk' }),
    use: 'sig',
    alg: 'ES256',
    kid: randomBytes(6).toString('hex'),
  }
}

const secret = (): string => randomBytes(32).toString('base64url')

const fileOf = (dataDir: string): string => join(dataDir, 'demo.json')

const lockName = 'demo.lock'

/**
 * Takes `dataDir` for this demo, before anything in it is read or thrown away.
 * @returns gives it back
 * @throws DatabaseUnavailableError when another demo has it
 */
export const lockDemo = (dataDir: string): (() => void) => lockDataDir(dataDir, lockName)

/** Throws away everything that earlier demos left; never a lock, which another process may be waiting for. */
const reset = (dataDir: string): void => {
  const unlock = lockDataDir(dataDir)
  try {
    for (const name of readdirSync(dataDir)) {
      if (!/\.lock(-journal)?$/.test(name)) rmSync(join(dataDir, name), { recursive: true, force: true })
    }
  } finally {
    unlock()
  }
}

/**
 * Reads what the last start left, or begins anew; `reset` throws that away first.
 * @throws DatabaseUnavailableError when `dataDir` holds a database that is not a demo's, or is in use
 */
export const loadDemoState = (dataDir: string, options: { readonly reset: boolean }): DemoState => {
  const file = fileOf(dataDir)
  if (existsSync(join(dataDir, 'database')) && !existsSync(file)) {
    throw new DatabaseUnavailableError(
      `${dataDir} holds the database of a portal that is no demo; start the demo in another directory`,
    )
  }
  if (options.reset) reset(dataDir)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as DemoState
  return {
    ports: { portal: 3000, eid: 3001, managementApi: 3002 },
    clientSecret: secret(),
    sessionSecret: secret(),
    cookieKey: secret(),
    signingKey: newSigningKey(),
    seeded: [],
  }
}

/** Keeps the state for the next start; only its owner can read it. */
export const saveDemoState = (dataDir: string, state: DemoState): void => {
  writeFileSync(fileOf(dataDir), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  chmodSync(fileOf(dataDir), 0o600)
}
