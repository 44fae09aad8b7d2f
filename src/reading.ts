import { randomUUID } from 'node:crypto'
import type { ReadingConfig } from './config.ts'
import type { Logger } from './logger.ts'
import { createManagementApiClient, type ManagementApiClient } from './management-api/client.ts'
import type { Pace } from './management-api/limiter.ts'
import { type Organisation, organisationKey } from './organisation.ts'
import { leaseTurns, type PaceLimits, resetBreaker, slowDown, tripBreaker } from './store/api-pace.ts'
import type { Database } from './store/database.ts'
import { createLooking, type Looking } from './sync/looking.ts'
import { startSync, type Sync } from './sync/sync.ts'

/** How the portal introduces itself to the API, as its Vipps-System-* headers ask. */
const system = {
  name: 'partner-portal',
  version: '0.1.0',
  pluginName: 'partner-portal',
  pluginVersion: '0.1.0',
}

/** Everything that reads the API: the background work, and what pages say to it. */
export type Reading = { readonly sync: Sync; readonly looking: Looking }

/** Turns of one organisation, which all instances on one database share. @param instance names this one among them */
export const sharedPace = (
  { kysely }: Database,
  organisation: Organisation,
  limits: PaceLimits,
  instance: string,
): Pace => ({
  lease: async (ask) => leaseTurns(kysely, organisation, limits, { instance, ...ask }),
  slowDown: async (holdMs) => slowDown(kysely, organisation, limits, holdMs),
  trip: async () => tripBreaker(kysely, organisation),
  reset: async () => resetBreaker(kysely, organisation),
})

/** A client an organisation; they share their limits with those of all other instances, through the database. */
const createClients = (config: ReadingConfig, database: Database, logger: Logger) => {
  const instance = randomUUID()
  const limits = config.apiLimits
  const clients = new Map<string, ManagementApiClient>()
  for (const { organisation, keys } of config.organisations) {
    const client = createManagementApiClient({
      organisation,
      keys,
      managementApiUrl: config.managementApiUrl,
      webhooksApiUrl: config.webhooksApiUrl,
      productOrderTemplatesPath: config.productOrderTemplatesPath,
      limits,
      pace: sharedPace(database, organisation, limits, instance),
      system,
      logger,
    })
    clients.set(organisationKey(organisation), client)
  }
  return (organisation: Organisation): ManagementApiClient => {
    const client = clients.get(organisationKey(organisation))
    if (!client) throw new Error(`no client for ${organisationKey(organisation)}`)
    return client
  }
}

/** Starts the sync of every configured organisation on a database that has all migrations. */
export const openReading = async (
  config: ReadingConfig,
  database: Database,
  logger: Logger,
): Promise<Reading> => {
  const organisations = new Map(
    config.organisations.map(({ organisation }) => [organisationKey(organisation), organisation]),
  )
  const source = {
    database,
    clientOf: createClients(config, database, logger),
    limits: config.apiLimits,
    settings: config.sync,
    logger,
  }
  const sync = await startSync(source, organisations)
  return { sync, looking: createLooking(source, sync) }
}
