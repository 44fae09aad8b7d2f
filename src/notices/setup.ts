import type { Organisations } from '../domain/organisations.ts'
import type { Logger } from '../logger.ts'
import { createMailer, ehloNameOf, type Sender, type SmtpServer } from '../mail/mailer.ts'
import type { Database } from '../store/database.ts'
import { type Notices, startNotices } from './notices.ts'

/** The configuration of the notices. */
export type NoticesConfig = {
  readonly notices: { readonly isOn: boolean; readonly partnerTimeZone: string }
  readonly allowPrivateChannels: boolean
  readonly mail: { readonly smtp: SmtpServer; readonly from: Sender } | undefined
  readonly portalUrl: string
  readonly sessionSecrets: readonly string[]
  readonly serviceName: string
}

/**
 * Starts the notices on a migrated database, unless they are turned off. They use one connection of the sync's pool at
 * a time, as no user waits for either.
 * @param everyMs the interval of the passes
 */
export function openNotices(
  config: NoticesConfig,
  organisations: Organisations,
  database: Database,
  logger: Logger,
  everyMs?: number,
): Notices | undefined {
  const { notices, mail, portalUrl, sessionSecrets, serviceName } = config
  if (!notices.isOn) return undefined
  const settings = {
    portalUrl,
    sessionSecrets,
    serviceName,
    mailDomain: mail?.from.address.split('@').at(-1) ?? '',
    partnerTimeZone: notices.partnerTimeZone,
    allowPrivate: config.allowPrivateChannels,
  }
  const mailer = mail && createMailer({ ...mail, name: ehloNameOf(portalUrl) }, logger)
  return startNotices({ db: database.sync, organisations, mailer, logger, settings }, everyMs)
}
