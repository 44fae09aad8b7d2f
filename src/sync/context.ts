import type { Logger } from '../logger.ts'
import type { ManagementApiClient } from '../management-api/client.ts'
import type { Organisation } from '../domain/organisation.ts'
import type { Handle } from '../store/database.ts'

/** The refresh intervals, in seconds; docs/decisions/0010 explains each. */
export type SyncSettings = {
  /** A list, while a user of the organisation is active, and while none is. */
  readonly listActiveSeconds: number
  readonly listIdleSeconds: number
  /** How long after a page view an organisation counts as active. */
  readonly activeForSeconds: number
  /** The details of a sales unit or merchant, and the webhooks of a sales unit. */
  readonly detailSeconds: number
  readonly webhookSeconds: number
  /** The age at which a record is refreshed when a user opens it. */
  readonly refreshSeconds: number
  /** The time until a suspect answer is read again, and then applied. */
  readonly suspectSeconds: number
  /** The delay of the first retry, doubled with each further failure, up to a list's interval. */
  readonly retrySeconds: number
}

/** Dependencies of the sync. */
export type SyncContext = {
  /** Limited to a few of the pool's connections, so that requests always get one. */
  readonly db: Handle
  readonly clientOf: (organisation: Organisation) => ManagementApiClient
  readonly limits: { readonly maxConcurrency: number; readonly maxPerSecond: number }
  readonly settings: SyncSettings
  readonly logger: Logger
}
