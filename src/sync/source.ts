import type { Logger } from '../logger.ts'
import type { ManagementApiClient } from '../management-api/client.ts'
import type { Organisation } from '../organisation.ts'
import type { Database } from '../store/database.ts'

/** How often what is read, in seconds; docs/decisions has the why of each. */
export type SyncSettings = {
  /** A list while somebody of the organisation is here, and while nobody is. */
  readonly listActiveSeconds: number
  readonly listIdleSeconds: number
  /** How long somebody counts as here after a page. */
  readonly activeForSeconds: number
  /** One sales unit, or merchant, and the webhooks of a sales unit. */
  readonly detailSeconds: number
  readonly webhookSeconds: number
  /** What somebody opens is read again when it is older. */
  readonly refreshSeconds: number
  /** An answer that is hard to believe is read again after so long, and then believed. */
  readonly doubtSeconds: number
  /** After a first failure; doubled with each further one, up to a list's period. */
  readonly retrySeconds: number
  /** How often every instance looks for what is due. */
  readonly beatSeconds: number
}

/** What reading an organisation takes. */
export type SyncSource = {
  readonly database: Database
  readonly clientOf: (organisation: Organisation) => ManagementApiClient
  readonly limits: { readonly maxConcurrency: number; readonly maxPerSecond: number }
  readonly settings: SyncSettings
  readonly logger: Logger
}
