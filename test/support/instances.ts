import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDemoManagementApi, type DemoManagementApi } from '../../demo/management-api.ts'
import { organisationsFile } from '../../demo/world/credentials.ts'
import type { DemoWorld } from '../../demo/world/types.ts'
import { createLogger } from '../../src/logger.ts'
import type { Organisation } from '../../src/domain/organisation.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { createTestSchema } from './database.ts'
import { type Running, start } from './process.ts'

/** The large partner of the demo world, the only organisation of these instances. */
export const partner: Organisation = { kind: 'partner', id: '23456', name: 'Fjordkasse & Sønner POS AS' }

/** A demo API, a database, and portal processes that a test can kill. */
export type Instances = {
  readonly api: DemoManagementApi
  /** The number of calls in flight at the API, now and at its peak. */
  readonly inFlight: () => { readonly now: number; readonly peak: number }
  readonly start: (env?: Readonly<Record<string, string>>) => Running
  readonly open: () => Database
  readonly stop: () => Promise<void>
}

/** Starts the API and creates the database; the test starts the portal processes. */
export async function prepareInstances(world: DemoWorld): Promise<Instances> {
  const directory = mkdtempSync(join(tmpdir(), 'portal-instances-'))
  const databaseUrl = await createTestSchema()
  const api = createDemoManagementApi(world, { logger: createLogger('silent') })
  let [now, peak] = [0, 0]
  const server = createServer((req, res) => {
    now += 1
    peak = Math.max(peak, now)
    res.on('close', () => (now -= 1))
    ;(api.app as RequestListener)(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const organisations = join(directory, 'organisations.json')
  const { partners } = organisationsFile(world)
  writeFileSync(organisations, JSON.stringify({ partners: partners.filter(({ id }) => id === '23456') }))
  const running = new Set<Running>()
  return {
    api,
    inFlight: () => ({ now, peak }),
    start: (env = {}) => {
      const instance = start('src/main.ts', {
        cwd: directory,
        env: {
          PORT: '0',
          PORTAL_URL: 'http://127.0.0.1:3000',
          SHUTDOWN_DELAY_MS: '0',
          OIDC_ISSUER: 'http://127.0.0.1:1',
          OIDC_CLIENT_ID: 'portal',
          OIDC_CLIENT_SECRET: 'secret',
          SESSION_SECRETS: 'a-session-secret-of-32-characters',
          ORGANISATIONS_FILE: organisations,
          MANAGEMENT_API_URL: apiUrl,
          WEBHOOKS_API_URL: apiUrl,
          DATABASE_URL: databaseUrl,
          ...env,
        },
      })
      running.add(instance)
      void instance.ended.then(() => running.delete(instance))
      return instance
    },
    open: () => openDatabase({ url: databaseUrl, logger: createLogger('silent') }),
    stop: async () => {
      for (const { child } of running) child.kill('SIGKILL')
      await Promise.all([...running].map(async ({ ended }) => ended))
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
