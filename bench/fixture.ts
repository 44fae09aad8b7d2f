import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Pool } from 'pg'
import manifest from '../package.json' with { type: 'json' }
import { organisationsFile } from '../demo/world/credentials.ts'
import type { ApiFaults, Call } from './api.ts'
import { cleanup, directory, freePort, startProcess } from './processes.ts'
import { listResources } from '../src/store/sync-state.ts'
import { createWorld } from './world.ts'

type Environment = Readonly<Record<string, string>>
/** A world, its API in a separate process, an empty database, and the portal's environment for both. */
export type Fixture = Awaited<ReturnType<typeof createFixture>>

/** Creates a fixture for partners of these sizes. */
export async function createFixture(sizes: readonly number[], env: Environment = {}) {
  const world = createWorld(sizes)
  const { url: databaseUrl, db } = await createDatabase()
  const api = await startApi(sizes)
  const port = await freePort()
  const organisations = join(directory, `organisations-${port}.json`)
  writeFileSync(organisations, JSON.stringify(organisationsFile(world)), { mode: 0o600 })
  const settings = {
    DATABASE_URL: databaseUrl,
    PORT: port,
    PORTAL_URL: `http://127.0.0.1:${port}`,
    SHUTDOWN_DELAY_MS: '0',
    TRUST_PROXY: 'loopback',
    OIDC_ISSUER: 'http://127.0.0.1:1',
    OIDC_CLIENT_ID: 'portal',
    OIDC_CLIENT_SECRET: 'client-secret-of-the-bench',
    // A day, so that only lists that a section makes due are read again.
    SYNC_LIST_ACTIVE_SECONDS: '86400',
    SYNC_LIST_IDLE_SECONDS: '86400',
    SYNC_REFRESH_SECONDS: '86400',
    SESSION_IDLE_MINUTES: '720',
    SESSION_SECRETS: 'session-secret-of-the-bench-0123456789',
    MANAGEMENT_API_URL: api.url,
    WEBHOOKS_API_URL: api.url,
    ORGANISATIONS_FILE: organisations,
  }
  return { world, db, api, url: settings.PORTAL_URL, env: { ...settings, ...env } }
}

/** An empty database on the server, dropped at the end of the run. */
export async function createDatabase() {
  const name = `bench_${randomUUID().slice(0, 8)}`
  await onServer(`create database ${name}`)
  cleanup.defer(async () => void (await onServer(`drop database ${name} with (force)`)))
  const url = new URL(serverUrl())
  url.pathname = name
  const db = new Pool({ connectionString: url.href, max: 2 })
  cleanup.defer(async () => db.end())
  return { url: url.href, db }
}

async function startApi(sizes: readonly number[]) {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const control = `${url}/bench`
  const { stop } = await startProcess(['bench/api.ts', port, JSON.stringify(sizes)], {}, control)
  /** Sets faults and resets the recorded calls. */
  async function set(faults: ApiFaults): Promise<void> {
    await fetch(control, { method: 'PUT', body: JSON.stringify(faults) })
  }
  return { url, set, calls: async () => (await fetch(control)).json() as Promise<Call[]>, stop }
}

function serverUrl(): string {
  const { BENCH_DATABASE_URL, TEST_DATABASE_URL } = process.env
  return BENCH_DATABASE_URL ?? TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
}

/** Starts the command of `npm start`, and waits until it is ready. */
export async function startPortal(fixture: Fixture, more: Environment = {}, flags: readonly string[] = []) {
  const [cache = '', , , ...start] = manifest.scripts.start.split(' ')
  const NODE_COMPILE_CACHE = resolve(import.meta.dirname, '..', cache.split('=')[1] ?? '')
  const env = { ...fixture.env, ...more, NODE_COMPILE_CACHE }
  return startProcess([...flags, ...start], env, `http://127.0.0.1:${env.PORT}/readyz`)
}

/** Makes every list of the organisation due, and waits until they are read. */
export async function readLists(db: Pool, organisation: string): Promise<void> {
  const { rows } = await db.query<{ now: Date }>(
    `with lists as (update sync_state set due_at = 'epoch' where organisation = $1 and key = ''),
       due as (update organisation_sync set lists_due_at = 'epoch', details_due_at = 'epoch' where organisation = $1)
     select now() as now`,
    [organisation],
  )
  // By the primary key: a scan of the table while it waits would disturb what is measured.
  await until(async () => {
    const { rows: found } = await db.query<{ all: boolean }>(
      `select bool_and(coalesce(checked_at >= $3, false)) as all from sync_state
       where organisation = $1 and resource = any($2) and key = ''`,
      [organisation, listResources, rows[0]?.now],
    )
    return found[0]?.all === true
  })
}

/** The number of organisations with a matching key whose lists have all been read. */
export async function countRead(db: Pool, pattern = ''): Promise<number> {
  const { rows } = await db.query(
    `select from sync_state where key = '' and organisation ~ $1
     group by organisation having bool_and(checked_at is not null)`,
    [pattern],
  )
  return rows.length
}

/** Polls until the condition holds. @throws Error after ten minutes */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 600_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`timeout after ten minutes: ${String(condition)}`)
    await sleep(100)
  }
}

/** Runs one statement on the server's default database. */
export async function onServer(statement: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: serverUrl() })
  await client.connect()
  const { rows } = await client.query<Record<string, unknown>>(statement).finally(async () => client.end())
  return rows
}
