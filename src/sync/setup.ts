import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '../logger.ts'
import { createManagementApiClient, type ManagementApiClient } from '../management-api/client.ts'
import type { Keys } from '../management-api/credentials.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { OrganisationsHolder } from '../domain/organisations.ts'
import { createBackgroundHandle } from '../store/background-handle.ts'
import type { Database } from '../store/database.ts'
import type { SyncSettings } from './context.ts'
import { createFreshness, type FreshnessService } from './freshness.ts'
import { startSync, type Sync } from './sync.ts'

/** An organisation with the credentials to call the API for it. */
export type Configured = { readonly organisation: Organisation; readonly keys: Keys }

/** What the sync is configured with. */
export type SyncConfig = {
  readonly managementApiUrl: string
  readonly webhooksApiUrl: string
  readonly productOrderTemplatesPath: string
  readonly apiLimits: {
    readonly maxConcurrency: number
    readonly maxPerSecond: number
    readonly timeoutMs: number
  }
  readonly sync: SyncSettings
  readonly organisations: readonly Configured[]
}

/** Everything that reads the API: the background work, and what pages ask of it. */
export type RunningSync = {
  readonly sync: Sync
  readonly freshness: FreshnessService
  /**
   * Replaces the configured organisations. New credentials get a new client, with tokens of its own; calls under way
   * end with the old one.
   */
  readonly replace: (configured: readonly Configured[]) => readonly OrganisationChange[]
}

/** What is different of an organisation. */
export type OrganisationChange = {
  readonly organisation: Organisation
  readonly what: 'added' | 'removed' | 'keys changed' | 'name changed'
}

/** Of the pool's ten connections, how many the sync uses at once. */
const syncConnections = 4

/**
 * Starts the sync of every configured organisation on a database that has the schema.
 * @param organisations holds those of the configuration
 */
export async function openSync(
  config: SyncConfig,
  organisations: OrganisationsHolder,
  database: Database,
  logger: Logger,
): Promise<RunningSync> {
  const clients = createClients(config, logger)
  for (const configured of config.organisations) clients.set(configured)
  const context = {
    db: createBackgroundHandle(database, syncConnections),
    clientOf: clients.of,
    limits: config.apiLimits,
    settings: config.sync,
    logger,
  }
  const sync = await startSync(context, organisations)
  return {
    sync,
    freshness: createFreshness(context, database.kysely, sync),
    replace: (configured) => {
      // A new organisation has its client before it is seen, and one that is removed is not seen before it has none.
      const changes = configured.flatMap((one) => clients.set(one) ?? [])
      organisations.replace(configured.map(({ organisation }) => organisation))
      return [...changes, ...clients.keepOnly(configured)]
    },
  }
}

/** A client an organisation, which keeps its tokens and its rate limit for as long as its credentials stay the same. */
function createClients(config: SyncConfig, logger: Logger) {
  const clients = new Map<string, Client>()
  function create({ organisation, keys }: Configured): ManagementApiClient {
    const { managementApiUrl, webhooksApiUrl, productOrderTemplatesPath, apiLimits: limits } = config
    const urls = { managementApiUrl, webhooksApiUrl, productOrderTemplatesPath }
    return createManagementApiClient({ organisation, keys, ...urls, limits, system, logger })
  }
  return {
    set: (configured: Configured): OrganisationChange | undefined => {
      const { organisation, keys } = configured
      const known = clients.get(organisationKey(organisation))
      const isSame = known && isDeepStrictEqual(known.keys, keys)
      clients.set(organisationKey(organisation), {
        ...configured,
        client: isSame ? known.client : create(configured),
      })
      if (!known) return { organisation, what: 'added' }
      if (!isSame) return { organisation, what: 'keys changed' }
      return known.organisation.name === organisation.name ? undefined : { organisation, what: 'name changed' }
    },
    /** @returns those that are not among `configured`, which are removed */
    keepOnly: (configured: readonly Configured[]): OrganisationChange[] => {
      const kept = new Set(configured.map(({ organisation }) => organisationKey(organisation)))
      const removed = [...clients].filter(([key]) => !kept.has(key))
      for (const [key] of removed) clients.delete(key)
      return removed.map(([, { organisation }]) => ({ organisation, what: 'removed' }))
    },
    of: (organisation: Organisation): ManagementApiClient => {
      const known = clients.get(organisationKey(organisation))
      if (!known) throw new Error(`no client for ${organisationKey(organisation)}`)
      return known.client
    },
  }
}

/** How the portal introduces itself to the API, as its Vipps-System-* headers ask. */
const system = {
  name: 'partner-portal',
  version: '0.1.0',
  pluginName: 'partner-portal',
  pluginVersion: '0.1.0',
}

type Client = Configured & { readonly client: ManagementApiClient }
