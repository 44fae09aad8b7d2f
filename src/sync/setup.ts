import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '../logger.ts'
import { createManagementApiClient, type ManagementApiClient } from '../management-api/client.ts'
import type { Credentials } from '../management-api/credentials.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { OrganisationsHolder } from '../domain/organisations.ts'
import type { Database } from '../store/database.ts'
import type { SyncSettings } from './context.ts'
import { createFreshness, type FreshnessService } from './freshness.ts'
import { startSync, type Sync } from './sync.ts'

/** An organisation with its API credentials. */
export type Configured = { readonly organisation: Organisation; readonly keys: Credentials }

/** The configuration of the sync. */
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

/** The running sync, and the service through which pages request refreshes. */
export type RunningSync = {
  readonly sync: Sync
  readonly freshness: FreshnessService
  /**
   * Replaces the configured organisations. Changed credentials get a new client with its own tokens; running calls end
   * with the old one.
   */
  readonly replace: (configured: readonly Configured[]) => readonly OrganisationChange[]
}

/** A change of one organisation. */
export type OrganisationChange = {
  readonly organisation: Organisation
  readonly what: 'added' | 'removed' | 'credentials changed' | 'name changed'
}

/**
 * Starts the sync of every configured organisation on a migrated database.
 * @param organisations the holder of the configured organisations
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
    db: database.sync,
    clientOf: clients.of,
    limits: config.apiLimits,
    settings: config.sync,
    logger,
  }
  const sync = await startSync(context, organisations)
  return {
    sync,
    freshness: createFreshness(context, database.pages, sync),
    replace: (configured) => {
      // A new organisation has a client before it becomes visible; a removed one is hidden before its client is
      // dropped.
      const changes = configured.flatMap((one) => clients.set(one) ?? [])
      organisations.replace(configured.map(({ organisation }) => organisation))
      return [...changes, ...clients.keepOnly(configured)]
    },
  }
}

/** One client per organisation, which keeps its tokens and its rate limit until its credentials change. */
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
      if (!isSame) return { organisation, what: 'credentials changed' }
      return known.organisation.name === organisation.name ? undefined : { organisation, what: 'name changed' }
    },
    /** Drops the clients of other organisations. @returns the removed organisations */
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

/** The portal's identity in the Vipps-System-* headers. */
const system = {
  name: 'partner-portal',
  version: '0.1.0',
  pluginName: 'partner-portal',
  pluginVersion: '0.1.0',
}

type Client = Configured & { readonly client: ManagementApiClient }
