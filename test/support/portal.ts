import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { userIdOf } from '../../src/auth/user-id.ts'
import { type Config, readConfig } from '../../src/config/config.ts'
import { createDemoEid } from '../../demo/eid.ts'
import { type DemoInbox, startDemoInbox } from '../../demo/inbox.ts'
import { giveDemoGrants } from '../../demo/grants.ts'
import { createDemoManagementApi, type DemoManagementApi } from '../../demo/management-api.ts'
import { demoPeople } from '../../demo/people.ts'
import { newSigningKey } from '../../demo/state.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { organisationsFile } from '../../demo/world/credentials.ts'
import type { Faults } from '../../demo/management-api/faults.ts'
import type { DemoWorld } from '../../demo/world/types.ts'
import { createLogger } from '../../src/logger.ts'
import { organisationKey } from '../../src/domain/organisation.ts'
import { type Portal, startPortal } from '../../src/portal.ts'
import { backlogsOf } from '../../src/store/backlog.ts'
import { makeDue } from '../../src/store/due.ts'
import { Browser } from './browser.ts'
import { createMemoryLog } from './log.ts'
import { createTestSchema } from './database.ts'

/** The whole portal with its eID provider and its API, as real servers on loopback. */
export type TestPortal = {
  readonly url: string
  readonly issuer: string
  readonly portal: Portal
  readonly world: DemoWorld
  readonly api: DemoManagementApi
  readonly eidServer: Server
  /** The mail server that the portal sends to. */
  readonly inbox: DemoInbox
  readonly organisationsFile: string
  /** For another instance on the same database. */
  readonly config: Config
  /** The log at level trace, one JSON object per line. */
  readonly log: () => string
  readonly browser: () => Browser
  /** A browser with this demo person signed in and verified. */
  readonly signedIn: (name: string) => Promise<Browser>
  readonly userId: (name: string) => string
  /** Waits until everything due has been read or has failed. */
  readonly settled: () => Promise<void>
  /** Makes everything due and waits until it has been read. */
  readonly sync: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Tests make each pass of the notices themselves. */
const neverMs = 1_000_000_000

const clientSecret = 'client-secret-of-the-tests'
/** Shared, because generating a key takes longer than a test. */
const signingKey = newSigningKey()

/** The code in the newest mail. */
export function mailedCode({ mails }: DemoInbox): string {
  const code = /^\s+(\d{3} \d{3})$/m.exec(mails[0]?.text ?? '')?.[1]
  if (code === undefined) throw new Error('the newest mail has no code')
  return code
}

/** Options of `startTestPortal`. */
export type TestPortalOptions = {
  readonly env?: Readonly<Record<string, string>>
  readonly world?: DemoWorld
  /** The API's faults when the portal starts. */
  readonly faults?: Partial<Omit<Faults, 'revokeTokens'>>
  /** The API sends byte order marks, doubled members and answers of gateways. */
  readonly oddities?: boolean
  /** False starts the portal without waiting for the first sync; by default everything has been read. */
  readonly synced?: boolean
}

/**
 * Starts the portal and its servers with the grants of the demo people.
 * @param options.env overrides the portal's environment
 * @param options.world replaces the demo world
 */
export async function startTestPortal(options: TestPortalOptions = {}): Promise<TestPortal> {
  for (;;) {
    try {
      return await startOnce(options)
    } catch (error) {
      // Another process has taken the port in between.
      if (!String(error).includes('EADDRINUSE')) throw error
    }
  }
}

async function startOnce(options: TestPortalOptions): Promise<TestPortal> {
  const { logger, log } = createMemoryLog()
  const world = options.world ?? createDemoWorld({ salesUnits: 60 })
  const api = createDemoManagementApi(world, {
    logger: createLogger('silent'),
    faults: options.faults ?? {},
    oddities: options.oddities ?? false,
  })
  const { server: apiServer, url: apiUrl } = await listen(api.app as RequestListener)
  const { server: eidServer, url: issuer } = await listen()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const eid = createDemoEid({
    issuer,
    portalUrl: url,
    clientId: 'portal',
    clientSecret,
    people: demoPeople,
    jwks: { keys: [signingKey] },
    cookieKeys: ['cookie-key-of-the-tests'],
  })
  eidServer.on('request', eid as RequestListener)

  const inbox = await startDemoInbox()
  const directory = mkdtempSync(join(tmpdir(), 'portal-test-'))
  const organisations = join(directory, 'organisations.json')
  writeFileSync(organisations, JSON.stringify(organisationsFile(world)), { mode: 0o600 })
  const config = readConfig({
    PORT: String(port),
    SHUTDOWN_DELAY_MS: '0',
    // All tests come from one computer, and more quickly than people.
    ANONYMOUS_REQUESTS_PER_SECOND: '100000',
    PORTAL_URL: url,
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: 'portal',
    OIDC_CLIENT_SECRET: clientSecret,
    SESSION_SECRETS: 'session-secret-of-the-tests-0123456789',
    DATABASE_URL: options.env?.['DATABASE_URL'] ?? (await createTestSchema()),
    MANAGEMENT_API_URL: apiUrl,
    WEBHOOKS_API_URL: apiUrl,
    MANAGEMENT_API_MAX_PER_SECOND: '1000',
    MANAGEMENT_API_MAX_CONCURRENCY: '50',
    SYNC_RETRY_SECONDS: '1',
    SYNC_DOUBT_SECONDS: '1',
    ORGANISATIONS_FILE: organisations,
    FEEDBACK_URL: 'https://feedback.example/portal',
    SUPPORT_TEXT: 'Call us on Mondays.',
    SUPPORT_EMAIL: 'help@portal.example',
    LOG_LEVEL: 'trace',
    SMTP_URL: inbox.smtpUrl,
    MAIL_FROM: 'Partner portal <portal@example.com>',
    ...options.env,
  })
  const portal = await startPortal(config, { logger, noticesEveryMs: neverMs }).catch(async (error: unknown) => {
    await Promise.all([close(apiServer), close(eidServer), inbox.stop()])
    throw error
  })
  const userId = (name: string): string => {
    const person = demoPeople.find((candidate) => candidate.name === name)
    if (!person) throw new Error(`no demo person is named ${name}`)
    return userIdOf(issuer, person.sub)
  }
  await giveDemoGrants(portal.database.kysely, issuer)

  const { kysely } = portal.database
  const keys = config.organisations.map(({ organisation }) => organisationKey(organisation))
  const settled = async (): Promise<void> => {
    // A page can respond before its refresh request is stored.
    await portal.freshness.requested()
    for (;;) {
      await portal.sync.tick()
      const due = (await backlogsOf(kysely, keys)).reduce((sum, backlog) => sum + backlog.due, 0)
      if (due === 0 && portal.sync.working() === 0) return
      await setTimeout(20)
    }
  }
  if (options.synced !== false) await settled()

  return {
    url,
    issuer,
    portal,
    world,
    api,
    eidServer,
    inbox,
    organisationsFile: organisations,
    config,
    log,
    browser: () => new Browser(url),
    signedIn: async (name) => {
      const browser = new Browser(url)
      const page = await browser.signIn(name)
      if (page.url.pathname === '/verify-email') {
        await browser.press('Send me a code')
        await browser.press('Verify', { typed: { code: mailedCode(inbox) } })
      }
      return browser
    },
    userId,
    settled,
    sync: async () => {
      for (const { organisation } of config.organisations) await makeDue(kysely, organisation, { listsOnly: false })
      await settled()
    },
    stop: async () => {
      await portal.stop()
      await Promise.all([close(apiServer), close(eidServer), inbox.stop()])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function listen(handler?: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** A port that is free at this moment; PORTAL_URL must be known before the portal listens. */
async function freePort(): Promise<number> {
  const { server, url } = await listen()
  await close(server)
  return Number(new URL(url).port)
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
