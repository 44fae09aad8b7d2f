import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import express from 'express'
import { type Config, ConfigurationError, readConfig } from '../src/config/config.ts'
import { DatabaseUnavailableError } from '../src/errors.ts'
import { createLogger, type Logger } from '../src/logger.ts'
import { type Portal, startPortal } from '../src/portal.ts'
import { openDatabase } from '../src/store/database.ts'
import { migrate } from '../src/store/migrations.ts'
import { type DatabaseServer, startDatabase } from './database.ts'
import { createDemoEid } from './eid.ts'
import { writeDemoHistory } from './history.ts'
import { startDemoInbox } from './inbox.ts'
import { giveDemoGrants } from './grants.ts'
import { giveDemoNotices } from './notices.ts'
import { createDemoManagementApi, type DemoManagementApi } from './management-api.ts'
import { demoPeople } from './people.ts'
import { writeDemoPrices } from './prices.ts'
import { type DemoState, loadDemoState, saveDemoState } from './state.ts'
import type { DemoSwitches } from './switches.ts'
import { createDemoWorld } from './world.ts'
import type { DemoWorld } from './world/types.ts'
import { organisationsFile } from './world/credentials.ts'

const host = '127.0.0.1'
const clientId = 'partner-portal'

/** The running demo. */
export type Demo = {
  readonly portal: Portal
  readonly portalUrl: string
  /** The page of sent mails, on the demo eID's server. */
  readonly inboxUrl: string
  readonly managementApi: DemoManagementApi
  /** The database for psql and the operator's commands. */
  readonly databaseUrl: string
  /** Resolves when the database ends unexpectedly. */
  readonly databaseDied: Promise<void>
  readonly stop: () => Promise<void>
}

/** Sooner than in production, so that the inbox has notices soon after the start. */
const noticesEveryMs = 10_000

/** The maximum of MANAGEMENT_API_MAX_PER_SECOND. */
const mostPerSecond = 1000

/** The environment of the operator's commands, for `npm run demo:portal`. */
const commandVariables = [
  'DATABASE_URL',
  'ORGANISATIONS_FILE',
  'MANAGEMENT_API_URL',
  'WEBHOOKS_API_URL',
  'MANAGEMENT_API_MAX_PER_SECOND',
] as const

/**
 * Starts the database, the demo eID, the demo Management API, a mail server and the portal, each as a server of its
 * own, with all data in `dataDir`. Ports in use are replaced by free ones, which are remembered; a chosen port is not. Another number of
 * sales units changes the demo API's data, and the portal syncs the difference.
 * @throws ConfigurationError when the chosen port is in use
 * @throws DatabaseUnavailableError when the demo is already running, or another version has written `dataDir`
 */
export async function startDemo(
  options: DemoSwitches & { readonly dataDir: string; readonly logger?: Logger },
): Promise<Demo> {
  const { dataDir, salesUnits, oddities, faults } = options
  const logger = options.logger ?? createLogger(options.log)
  const database = await openDemoDatabase(options)
  const state = loadDemoState(dataDir)
  const { port } = options
  if (port !== undefined) state.ports = { portal: port, eid: port + 1, managementApi: port + 2 }
  const [eidServer, apiServer, portalPort] = await Promise.all([
    listen(state.ports.eid),
    listen(state.ports.managementApi),
    listen(state.ports.portal),
  ])
  if (port !== undefined && portOf(portalPort) !== port) {
    await Promise.all([eidServer, apiServer, portalPort].map(async (server) => close(server)))
    await database.stop()
    throw new ConfigurationError([`port ${port} is in use: choose another one with --port`])
  }
  state.ports = { portal: portOf(portalPort), eid: portOf(eidServer), managementApi: portOf(apiServer) }
  await close(portalPort)
  saveDemoState(dataDir, state)

  const world = createDemoWorld({ salesUnits, oddities })
  const inbox = await startDemoInbox()
  const file = writeOrganisations(dataDir, world)
  const { smtpUrl } = inbox
  const environment = environmentOf(state, { databaseUrl: database.url, file, smtpUrl }, options)
  writeEnvironment(dataDir, environment)
  const config = readConfig(environment)
  const managementApi = createDemoManagementApi(world, { logger, faults, oddities })
  const eid = createDemoEid({
    issuer: config.oidc.issuer,
    portalUrl: config.portalUrl,
    clientId,
    clientSecret: state.clientSecret,
    people: demoPeople,
    jwks: { keys: [state.signingKey] },
    cookieKeys: [state.cookieKey],
  })
  const inboxUrl = `${config.oidc.issuer}/inbox`
  eidServer.on('request', express().use('/inbox', inbox.page).use(eid) as RequestListener)
  apiServer.on('request', managementApi.app as RequestListener)

  const stopServers = async () => {
    await Promise.all([close(eidServer), close(apiServer), inbox.stop(), database.stop()])
  }
  try {
    if (state.seeded.length === 0) await seedHistory(config, world, logger)
    const portal = await startPortal(config, { logger, demoNotice: { inboxUrl }, noticesEveryMs })
    const { issuer } = config.oidc
    if (!state.seeded.includes(issuer)) {
      // Only once, so that later changes by the operator persist.
      await giveDemoGrants(portal.database.kysely, issuer, { haveVisited: true })
      await giveDemoNotices(portal.database, issuer)
      state.seeded.push(issuer)
      saveDemoState(dataDir, state)
    }
    return {
      portal,
      portalUrl: config.portalUrl,
      inboxUrl,
      managementApi,
      databaseUrl: database.url,
      databaseDied: database.died,
      stop: async () => {
        await portal.stop()
        await stopServers()
      },
    }
  } catch (error) {
    await stopServers()
    throw error
  }
}

/** Starts the database in this directory. @throws DatabaseUnavailableError when another demo uses it */
async function openDemoDatabase(options: DemoSwitches & { readonly dataDir: string }): Promise<DatabaseServer> {
  const { dataDir: directory, reset } = options
  const database = await startDatabase({ directory, keep: true, reset })
  if (database) return database
  const { portal } = loadDemoState(directory).ports
  throw new DatabaseUnavailableError(`a demo runs in ${directory} already: it is at http://${host}:${portal}`)
}

/** Listens on the port, or on a free one when it is in use. */
async function listen(port: number): Promise<Server> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return server
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port === 0) throw error
    return listen(0)
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

function writeOrganisations(dataDir: string, world: ReturnType<typeof createDemoWorld>): string {
  const file = resolve(dataDir, 'demo-organisations.json')
  writeFileSync(file, `${JSON.stringify(organisationsFile(world), null, 2)}\n`, { mode: 0o600 })
  return file
}

function environmentOf(
  state: DemoState,
  { databaseUrl, file, smtpUrl }: { readonly databaseUrl: string; readonly file: string; readonly smtpUrl: string },
  switches: DemoSwitches,
) {
  return {
    PORT: String(state.ports.portal),
    HOST: host,
    SHUTDOWN_DELAY_MS: '0',
    PORTAL_URL: `http://${host}:${state.ports.portal}`,
    OIDC_ISSUER: `http://${host}:${state.ports.eid}`,
    OIDC_CLIENT_ID: clientId,
    OIDC_CLIENT_SECRET: state.clientSecret,
    SESSION_SECRETS: state.sessionSecret,
    DATABASE_URL: databaseUrl,
    MANAGEMENT_API_URL: `http://${host}:${state.ports.managementApi}`,
    WEBHOOKS_API_URL: `http://${host}:${state.ports.managementApi}`,
    MANAGEMENT_API_MAX_PER_SECOND: String(callsPerSecond(switches.faults)),
    ORGANISATIONS_FILE: file,
    SMTP_URL: smtpUrl,
    MAIL_FROM: 'Partner portal <partner-portal@example.com>',
    FEEDBACK_URL: 'mailto:partner-portal@example.com',
    SUPPORT_EMAIL: 'partner-portal@example.com',
    LOG_LEVEL: switches.log,
  }
}

function writeEnvironment(dataDir: string, environment: ReturnType<typeof environmentOf>): void {
  const lines = commandVariables.map((name) => `${name}="${environment[name]}"\n`)
  writeFileSync(join(dataDir, 'demo.env'), lines.join(''), { mode: 0o600 })
}

/** Writes a year of history before the first start. */
async function seedHistory(config: Config, world: DemoWorld, logger: Logger): Promise<void> {
  const database = openDatabase({ url: config.databaseUrl, logger })
  try {
    await migrate(database, logger)
    await writeDemoHistory(database, world)
    await writeDemoPrices(database, world)
  } finally {
    await database.close()
  }
}

/** The rate of the portal's calls: faster than in production, but within the demo API's limit. */
function callsPerSecond({ rateLimitPerSecond }: DemoSwitches['faults']): number {
  return Math.min(rateLimitPerSecond ?? 100, mostPerSecond)
}
