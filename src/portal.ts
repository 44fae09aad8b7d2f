import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { createApp } from './app.ts'
import { createEid } from './auth/eid.ts'
import { userIdDerivation } from './auth/user-id.ts'
import { createBrand } from './brand/brand.ts'
import { type Config, ConfigurationError } from './config/config.ts'
import type { DemoNotice } from './presentation/view-locals.ts'
import { answerMalformed } from './http/malformed.ts'
import { createLogger, type Logger } from './logger.ts'
import type { Notices } from './notices/notices.ts'
import { openNotices } from './notices/setup.ts'
import { startCredentialsReload } from './config/reload.ts'
import { holdOrganisations } from './domain/organisations.ts'
import { openSync, type RunningSync } from './sync/setup.ts'
import { type AuditWriter, createAuditWriter } from './store/audit.ts'
import { type Database, openDatabase } from './store/database.ts'
import { startRetention } from './store/retention.ts'
import type { FreshnessService } from './sync/freshness.ts'
import type { Sync } from './sync/sync.ts'
import { migrate, schemaVersion } from './store/migrations.ts'
import { requireWritable } from './store/write-check.ts'
import { ReadOnlyDatabaseError } from './errors.ts'
import { claimUserIdDerivation } from './store/user-id-derivation.ts'

/** How long running requests may take when the portal stops. */
const drainMs = 10_000

/** How long an idle connection stays open. */
const idleConnectionMs = 80_000

/** A running portal. `url` is where it listens; behind a proxy it differs from the public address. */
export type Portal = {
  readonly url: string
  readonly database: Database
  readonly sync: Sync
  readonly freshness: Pick<FreshnessService, 'requested'>
  readonly audit: AuditWriter
  /** Undefined when NOTICES is false. */
  readonly notices: Notices | undefined
  /** Rereads the organisations file and its secret files now; changes are also detected automatically. */
  readonly reload: () => void
  /** Fails readiness, then stops the sync, running requests and the database. May be called twice. */
  readonly stop: () => Promise<void>
}

/**
 * Opens and migrates the database, then listens. The eID provider and the Management API may be down.
 * @param options.logger replaces the logger on stdout
 * @param options.demoNotice marks every page as a demo
 * @param options.noticesEveryMs the interval at which notices are sent
 * @throws DatabaseUnavailableError; ConfigurationError for a port in use, an accent colour with too little contrast, or
 * another USER_ID_SECRET than the one that made the IDs of the existing users
 */
export async function startPortal(
  config: Config,
  options: { readonly logger?: Logger; readonly demoNotice?: DemoNotice; readonly noticesEveryMs?: number } = {},
): Promise<Portal> {
  const brand = await brandOf(config)
  const logger = options.logger ?? createLogger(config.logLevel)
  const database = openDatabase({ url: config.databaseUrl, connections: config.databaseConnections, logger })
  const stopping = new AbortController()
  const audit = createAuditWriter(database.kysely, logger)
  let running: RunningSync | undefined
  try {
    await migrate(database, logger)
    await requireSameUserIds(database, config)
    for (const warning of config.warnings) logger.warn(warning)
    const organisations = holdOrganisations(config.organisations.map(({ organisation }) => organisation))

    const readiness = async () => {
      if (stopping.signal.aborted) return { ready: false, reason: 'stopping' }
      try {
        const version = await schemaVersion(database)
        if (version === 'empty' || version === 'older') return { ready: false, reason: 'migrations' }
        await requireWritable(database.kysely)
        return { ready: true }
      } catch (error) {
        return { ready: false, reason: error instanceof ReadOnlyDatabaseError ? 'read-only database' : 'database' }
      }
    }
    const eid = createEid(config.oidc, logger)
    running = await openSync(config, organisations, database, logger)
    const app = createApp({
      config,
      brand,
      logger,
      database,
      eid,
      organisations,
      audit,
      freshness: running.freshness,
      readiness,
      demoNotice: options.demoNotice,
    })
    const server = createServer(app)
    // Longer than proxies keep idle connections, up to 75 s, or a request can meet the closing of its connection.
    server.keepAliveTimeout = idleConnectionMs
    server.headersTimeout = idleConnectionMs + 5000
    answerMalformed(server)
    await listen(server, config)
    const { address, family, port } = server.address() as AddressInfo
    const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
    if (!config.mail)
      logger.warn('SMTP_URL is not set: users without an e-mail address verified by the eID cannot use the portal')
    if (organisations.current().size === 0)
      logger.warn('no organisation: ORGANISATIONS_FILE lists no partner and no merchant, so users have no pages')
    logger.info({ url, organisations: organisations.current().size }, 'portal ready')
    const credentials = startCredentialsReload(config, running, audit, logger)
    const notices = openNotices(config, organisations, database, logger, options.noticesEveryMs)
    const endRetention = startRetention(database, logger, config.retentionDays)
    // Discovery starts now, so that the first sign-in need not wait; after a failure that sign-in retries.
    eid.configuration().catch(() => {})

    const stop = async (): Promise<void> => {
      logger.info('portal stopping')
      stopping.abort()
      credentials.stop()
      // Other instances take over the sync while this one answers the remaining requests.
      const syncStopped = running?.sync.stop()
      const noticesStopped = notices?.stop()
      // Fail readiness first, so the load balancer drains this instance.
      await setTimeout(config.shutdownDelayMs)
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      const over = new AbortController()
      await Promise.race([closed, setTimeout(drainMs, undefined, { signal: over.signal }).catch(() => {})])
      over.abort()
      server.closeAllConnections()
      await running?.freshness.requested()
      await syncStopped
      await noticesStopped
      await endRetention()
      await audit.close()
      await database.close()
      logger.info('portal stopped')
    }
    let stopped: Promise<void> | undefined
    return {
      url,
      database,
      sync: running.sync,
      freshness: running.freshness,
      audit,
      notices,
      reload: () => credentials.now('signal'),
      stop: () => (stopped ??= stop()),
    }
  } catch (error) {
    stopping.abort()
    await running?.sync.stop()
    await database.close()
    throw error
  }
}

async function brandOf(config: Config) {
  const brand = await createBrand(config.brand)
  if ('problem' in brand) throw new ConfigurationError([`BRAND_ACCENT ${brand.problem}`])
  return brand
}

/** With another derivation every user would be a new one, without grants. @throws ConfigurationError */
async function requireSameUserIds({ kysely }: Database, { userIdSecret }: Config): Promise<void> {
  const other = await claimUserIdDerivation(kysely, userIdDerivation(userIdSecret))
  if (other === undefined) return
  if (!userIdSecret)
    throw new ConfigurationError(['USER_ID_SECRET is missing: the IDs of the existing users were made with it'])
  const isKeyed = other !== userIdDerivation(undefined)
  const problem = isKeyed
    ? 'is not the one that made the IDs of the existing users: set that one again'
    : 'cannot be set now: the IDs of the existing users were made without it, so remove it'
  throw new ConfigurationError([`USER_ID_SECRET ${problem}`])
}

async function listen(server: Server, { host, port }: Config): Promise<void> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigurationError([`cannot listen on ${host}:${port}: ${code}`])
  }
}
