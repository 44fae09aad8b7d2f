import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The demo's state besides the database, kept between starts: ports and generated secrets. */
export type DemoState = {
  ports: { portal: number; eid: number; managementApi: number }
  clientSecret: string
  sessionSecret: string
  cookieKey: string
  signingKey: Record<string, unknown>
  /** Issuers for which the demo grants have been written: user IDs depend on the issuer. */
  seeded: string[]
}

/** Creates a signing key for the demo eID's ID tokens (ES256), as a private JWK. */
export function newSigningKey(): Record<string, unknown> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    ...privateKey.export({ format: 'jwk' }),
    use: 'sig',
    alg: 'ES256',
    kid: randomBytes(6).toString('hex'),
  }
}

/** Reads the state of the last start, or creates a new one. */
export function loadDemoState(dataDir: string): DemoState {
  const file = fileOf(dataDir)
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

function fileOf(dataDir: string): string {
  return join(dataDir, 'demo.json')
}

function secret(): string {
  return randomBytes(32).toString('base64url')
}

/** Stores the state for the next start; only its owner can read it. */
export function saveDemoState(dataDir: string, state: DemoState): void {
  writeFileSync(fileOf(dataDir), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  chmodSync(fileOf(dataDir), 0o600)
}
