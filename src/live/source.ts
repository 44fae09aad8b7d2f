import type { Logger } from '../logger.ts'
import type { ManagementApiClient } from '../management-api/client.ts'
import type { Organisation } from '../organisation.ts'

/** Where the records are read: a client an organisation, and when to stop reading ahead. */
export type Source = {
  readonly clientOf: (organisation: Organisation) => ManagementApiClient
  readonly logger: Logger
  readonly signal: AbortSignal
}
