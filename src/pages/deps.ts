import type { Eid } from '../auth/eid.ts'
import type { EmailCodes } from '../auth/email-codes.ts'
import type { TokenEncryption } from '../auth/encrypted-token.ts'
import type { PendingSignIns } from '../auth/pending-sign-ins.ts'
import type { Config } from '../config/config.ts'
import type { Language } from '../presentation/language.ts'
import type { DemoNotice } from '../presentation/view-locals.ts'
import type { Logger } from '../logger.ts'
import type { Organisations } from '../domain/organisations.ts'
import type { AuditWriter } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import type { FreshnessService } from '../sync/freshness.ts'
import type { ExportLimits } from './lists/download.ts'

/** The dependencies of the handlers. */
export type PageDeps = {
  readonly config: Pick<
    Config,
    'portalUrl' | 'https' | 'sessionLimits' | 'sessionSecrets' | 'userIdSecret' | 'mail' | 'notices'
  >
  readonly logger: Logger
  readonly database: Database
  readonly eid: Eid
  readonly tokens: TokenEncryption
  readonly pendingSignIns: PendingSignIns
  readonly organisations: Organisations
  readonly audit: AuditWriter
  readonly languages: ReadonlyMap<string, Language>
  readonly freshness: FreshnessService
  readonly emailCodes: EmailCodes
  readonly exportLimits: ExportLimits
  /** A notice on every page of the demo, with a link to its inbox. */
  readonly demoNotice: DemoNotice | undefined
}
