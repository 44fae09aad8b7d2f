import { isDeepStrictEqual } from 'node:util'
import type { ReadingConfig } from './config.ts'
import type { Logger } from './logger.ts'
import { createManagementApiClient, type ManagementApiClient } from './management-api/client.ts'
import type { Keys } from './management-api/keys.ts'
import { type Organisation, organisationKey } from './organisation.ts'
import type { OrganisationsHolder } from './organisations.ts'
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
export type Reading = {
  readonly sync: Sync
  readonly looking: Looking
  /**
   * Others are configured now, or with other keys. New keys get a new client, with tokens of its own; calls under way end
   * with the old one. The holder says the same when this returns.
   */
  readonly replace: (configured: readonly Configured[]) => readonly OrganisationChange[]
}

/** An organisation with what it takes to call the API for it. */
export type Configured = ReadingConfig['organisations'][number]

/** What is different of an organisation. */
export type OrganisationChange = {
  readonly organisation: Organisation
  readonly what: 'added' | 'removed' | 'keys changed' | 'name changed'
}

/** A client an organisation: its limits and its tokens are its own. */
const createClient = (
  config: ReadingConfig,
  { organisation, keys }: Configured,
  logger: Logger,
): ManagementApiClient =>
  createManagementApiClient({
    organisation,
    keys,
    managementApiUrl: config.managementApiUrl,
    webhooksApiUrl: config.webhooksApiUrl,
    productOrderTemplatesPath: config.productOrderTemplatesPath,
    limits: config.apiLimits,
    system,
    logger,
  })

type Client = {
  readonly keys: Keys
  readonly organisation: Organisation
  readonly client: ManagementApiClient
}

const createClients = (config: ReadingConfig, logger: Logger) => {
  const clients = new Map<string, Client>()
  const set = (configured: Configured): OrganisationChange | undefined => {
    const { organisation, keys } = configured
    const key = organisationKey(organisation)
    const known = clients.get(key)
    const isSame = known && isDeepStrictEqual(known.keys, keys)
    const client = isSame ? known.client : createClient(config, configured, logger)
    clients.set(key, { keys, organisation, client })
    if (!known) return { organisation, what: 'added' }
    if (!isSame) return { organisation, what: 'keys changed' }
    return known.organisation.name === organisation.name ? undefined : { organisation, what: 'name changed' }
  }
  return {
    set,
    /** @returns those that are not among `configured`, which are gone now */
    keepOnly: (configured: readonly Configured[]): OrganisationChange[] => {
      const kept = new Set(configured.map(({ organisation }) => organisationKey(organisation)))
      const gone = [...clients].filter(([key]) => !kept.has(key))
      for (const [key] of gone) clients.delete(key)
      return gone.map(([, { organisation }]) => ({ organisation, what: 'removed' }))
    },
    of: (organisation: Organisation): ManagementApiClient => {
      const known = clients.get(organisationKey(organisation))
      if (!known) throw new Error(`no client for ${organisationKey(organisation)}`)
      return known.client
    },
  }
}

/**
 * Starts the sync of every configured organisation on a database that has all migrations.
 * @param organisations holds those of the configuration
 */
export const openReading = async (
  config: ReadingConfig,
  organisations: OrganisationsHolder,
  database: Database,
  logger: Logger,
): Promise<Reading> => {
  const clients = createClients(config, logger)
  for (const configured of config.organisations) clients.set(configured)
  const source = {
    database,
    clientOf: clients.of,
    limits: config.apiLimits,
    settings: config.sync,
    logger,
  }
  const sync = await startSync(source, organisations)
  const replace = (configured: readonly Configured[]): readonly OrganisationChange[] => {
    // Whoever sees a new one finds its client, and whose client has gone is not seen any more.
    const changes = configured.flatMap((one) => clients.set(one) ?? [])
    organisations.replace(configured.map(({ organisation }) => organisation))
    return [...changes, ...clients.keepOnly(configured)]
  }
  return { sync, looking: createLooking(source, sync), replace }
}
