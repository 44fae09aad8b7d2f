import type { Logger } from '../logger.ts'
import type { ManagementApiClient } from '../management-api/client.ts'
import type { Organisation } from '../domain/organisation.ts'
import type { Handle } from '../store/database.ts'

/** How often what is read, in seconds; docs/decisions/0010 has the why of each. */
export type SyncSettings = {
  /** A list while a user of the organisation is active, and while none is. */
  readonly listActiveSeconds: number
  readonly listIdleSeconds: number
  /** How long after a page view an organisation counts as active. */
  readonly activeForSeconds: number
  /** A sales unit or merchant, and the webhooks of a sales unit. */
  readonly detailSeconds: number
  readonly webhookSeconds: number
  /** A record that a user opens is refreshed when it is older. */
  readonly refreshSeconds: number
  /** A suspect answer is read again after so long, and then counts. */
  readonly suspectSeconds: number
  /** Before the first retry; doubled with each further failure, up to a list's period. */
  readonly retrySeconds: number
}

/** What the sync works with. */
export type SyncContext = {
  /** A few of the pool's connections, so that pages always find one. */
  readonly db: Handle
  readonly clientOf: (organisation: Organisation) => ManagementApiClient
  readonly limits: { readonly maxConcurrency: number; readonly maxPerSecond: number }
  readonly settings: SyncSettings
  readonly logger: Logger
}
