import { createHmac, randomInt, timingSafeEqual } from 'node:crypto'
import { emailAddress, mailboxOf } from '../domain/email-address.ts'
import { MailUnavailableError } from '../errors.ts'
import { derivedKey } from '../http/derived-key.ts'
import type { Language } from '../presentation/language.ts'
import type { Render } from '../presentation/view-engine.ts'
import type { Logger } from '../logger.ts'
import { codeMail } from '../mail/code-mail.ts'
import { createMailer, ehloNameOf, type Sender, type SmtpServer } from '../mail/mailer.ts'
import { type AuditEntry, type AuditWriter, insertAudit, logAudit, recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { burnCode, codeMinutes, findCode, forgetMail, reserveMail, saveCode, takeTry } from '../store/email-codes.ts'
import { saveVerifiedEmail } from '../store/users.ts'

/** The user who asks, the e-mail address that their eID sends, and their address as truncatedAddress() gives it. */
export type Asking = { readonly userId: string; readonly eidEmail: string | null; readonly from: string }

/** The outcome of sending a mail. `limit`: the hourly limit is used up; `down`: the mail server does not answer. */
export type Sending =
  | { readonly outcome: 'sent' }
  | { readonly outcome: 'limit'; readonly retryAfterSeconds: number }
  | { readonly outcome: 'down' }

/** The outcome of checking a code. `dead`: no code is valid any more. */
export type Checking =
  | { readonly outcome: 'verified' }
  | { readonly outcome: 'wrong'; readonly triesLeft: number }
  | { readonly outcome: 'dead' }

/** Sends and checks one-time codes for e-mail addresses. */
export type EmailCodes = {
  /** False when the operator has configured no mail server. */
  readonly ready: boolean
  /**
   * Sends a new code in this language. It replaces the previous code once the mail server has accepted the mail.
   * @param email as emailAddress() gives it
   * @throws MailUnavailableError when not `ready`
   */
  readonly send: (asking: Asking, email: string, language: Language) => Promise<Sending>
  /** @param typed six digits */
  readonly check: (asking: Asking, typed: string) => Promise<Checking>
}

/**
 * One-time codes for e-mail addresses. A code is bound to user and address and stored as HMAC-SHA-256. The first
 * session secret creates codes; all secrets verify them, as with cookies.
 * @param deps.render renders a view without the layout
 */
export function createEmailCodes(deps: {
  readonly config: {
    readonly sessionSecrets: readonly string[]
    readonly portalUrl: string
    readonly brand: { readonly name: string | undefined }
    readonly mail: { readonly smtp: SmtpServer; readonly from: Sender } | undefined
  }
  readonly database: Database
  readonly logger: Logger
  readonly audit: AuditWriter
  readonly render: Render
}): EmailCodes {
  const { config, database, logger, audit, render } = deps
  const db = database.kysely
  const { host } = new URL(config.portalUrl)
  const mailer = config.mail && createMailer({ ...config.mail, name: ehloNameOf(config.portalUrl) }, logger)
  const [secret = ''] = config.sessionSecrets
  const codeKeys = config.sessionSecrets.map((each) => derivedKey(each, 'e-mail codes'))
  const codeKey = derivedKey(secret, 'e-mail codes')
  const addressKey = derivedKey(secret, 'e-mail addresses')
  const refusal = ({ userId, from }: Asking, reason: string): AuditEntry => ({
    event: 'e-mail verification refused',
    userId,
    address: from,
    details: { reason },
  })

  return {
    ready: mailer !== undefined,
    send: async (asking, email, language) => {
      if (!mailer) throw new MailUnavailableError('not configured')
      const { userId } = asking
      const { mailbox, domain } = mailboxOf(email)
      const named = emailAddress(asking.eidEmail)
      const reserved = await reserveMail(db, {
        userId,
        mailboxMac: macOf(addressKey, [mailbox]),
        domainMac: macOf(addressKey, [domain]),
        own: named !== undefined && mailboxOf(named).mailbox === mailbox,
      })
      if ('retryAfterSeconds' in reserved) {
        audit.noteRefusal(refusal(asking, 'too many mails'))
        return { outcome: 'limit', ...reserved }
      }
      const code = String(randomInt(1_000_000)).padStart(6, '0')
      try {
        const { name } = config.brand
        await mailer.send(email, codeMail(language, { code, minutes: codeMinutes, host, name }, render))
      } catch (error) {
        await forgetMail(db, reserved.mailId)
        if (!(error instanceof MailUnavailableError)) throw error
        return { outcome: 'down' }
      }
      // Only now: a mail that was not sent must not replace the code that the user already has.
      await saveCode(db, { userId, email, codeMac: macOf(codeKey, [userId, email, code]) })
      return { outcome: 'sent' }
    },

    check: async (asking, typed) => {
      const { userId, from } = asking
      const taken = await takeTry(db, userId)
      if (!taken) {
        const left = await findCode(db, userId)
        audit.noteRefusal(refusal(asking, left ? left.state : 'no code'))
        return { outcome: 'dead' }
      }
      const { email, codeMac, triesLeft } = taken
      const right = codeKeys.filter((key) => same(macOf(key, [userId, email, typed]), codeMac)).length > 0
      if (!right) {
        // Every guess: the tries of a code and the limit of mails bound them.
        await recordAudit(db, logger, refusal(asking, 'wrong code'))
        return triesLeft > 0 ? { outcome: 'wrong', triesLeft } : { outcome: 'dead' }
      }
      const entry: AuditEntry = { event: 'e-mail verified', userId, address: from, details: { by: 'code' } }
      const first = await db.transaction().execute(async (transaction) => {
        if (!(await burnCode(transaction, { userId, codeMac }))) return false
        await saveVerifiedEmail(transaction, userId, email)
        await insertAudit(transaction, [entry])
        return true
      })
      if (first) logAudit(logger, [entry])
      return first ? { outcome: 'verified' } : { outcome: 'dead' }
    },
  }
}

/**
 * A keyed hash, because anybody who reads the table could try all million codes against a plain one. JSON keeps part
 * boundaries unambiguous.
 */
function macOf(key: Uint8Array, parts: readonly string[]): string {
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64url')
}

function same(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
