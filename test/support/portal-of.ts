import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../../src/app.ts'
import { createEid, type EidTimes } from '../../src/auth/eid.ts'
import { readConfig } from '../../src/config/config.ts'
import { holdOrganisations } from '../../src/domain/organisations.ts'
import { createAuditWriter } from '../../src/store/audit.ts'
import type { Database } from '../../src/store/database.ts'
import { createFreshness } from '../../src/sync/freshness.ts'
import { Browser } from './browser.ts'
import { openTestDatabase } from './database.ts'
import { createMemoryLog } from './log.ts'

/** The whole app without organisations, for a provider that is not the demo eID. */
export type PortalOf = {
  readonly url: string
  readonly database: Database
  readonly log: () => string
  readonly browser: () => Browser
  readonly stop: () => Promise<void>
}

/**
 * @param issuer does not have to answer yet
 * @param options.times timeouts and intervals of the provider client
 * @param options.env overrides the portal's environment
 * @param options.database a shared database, which the caller closes
 */
export async function startPortalOf(
  issuer: string,
  options: {
    readonly times?: EidTimes
    readonly env?: Readonly<Record<string, string>>
    readonly database?: Database
  } = {},
): Promise<PortalOf> {
  const { logger, log } = createMemoryLog()
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const directory = mkdtempSync(join(tmpdir(), 'portal-test-'))
  const organisations = join(directory, 'organisations.json')
  writeFileSync(organisations, '{"partners":[],"merchants":[]}', { mode: 0o600 })
  const config = readConfig({
    DATABASE_URL: 'postgres://127.0.0.1/not-used',
    PORTAL_URL: url,
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: 'portal',
    OIDC_CLIENT_SECRET: 'client-secret-of-the-tests',
    ANONYMOUS_REQUESTS_PER_SECOND: '100000',
    SESSION_SECRETS: 'session-secret-of-the-tests-0123456789',
    ORGANISATIONS_FILE: organisations,
    ...options.env,
  })
  const database = options.database ?? (await openTestDatabase())
  const app = createApp({
    config,
    brand: { name: undefined, logo: undefined, style: '' },
    logger,
    database,
    organisations: holdOrganisations([]),
    audit: createAuditWriter(database.kysely, logger),
    eid: createEid(config.oidc, logger, options.times),
    freshness: createFreshness({ settings: config.sync, logger }, database.kysely, {
      tick: async () => {},
      wake: async () => {},
      noted: async () => {},
    }),
    readiness: async () => ({ ready: true }),
    demoNotice: undefined,
  })
  server.on('request', app as RequestListener)
  return {
    url,
    database,
    log,
    browser: () => new Browser(url),
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      if (!options.database) await database.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
