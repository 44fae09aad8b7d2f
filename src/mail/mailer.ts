import { MailUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'

/** Where mails go to, from the configuration. */
export type SmtpServer = {
  readonly host: string
  readonly port: number
  /** TLS from the first byte (smtps). */
  readonly secure: boolean
  /** On this machine: the one case in which mails may go out in the clear. */
  readonly loopback: boolean
  readonly credentials: { readonly user: string; readonly pass: string } | undefined
}

/** A sender: a plain address and, perhaps, a name to show. */
export type Sender = { readonly name: string; readonly address: string }

/** What a mail says: once as text, once as HTML. `language` is that of both, such as `nb`. */
export type Mail = {
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly language: string
}

export type Mailer = {
  /**
   * Hands one mail to the mail server. Resolves when that has taken it, and also when it has refused the recipient for
   * good: whether a mailbox exists is not told to whoever asks (the log says that it happened).
   * @param to as emailAddress() gives it
   * @throws MailUnavailableError when there is no answer, or one that another try may change
   */
  readonly send: (to: string, mail: Mail) => Promise<void>
}

/** Somebody waits for a page meanwhile. */
const timeouts = { dnsTimeout: 5000, connectionTimeout: 5000, greetingTimeout: 5000, socketTimeout: 10_000 }
const patienceMs = 15_000

/** Opens no connection: each mail has one of its own. The library is loaded for the first one; most processes send none. */
export function createMailer(
  { smtp, from }: { readonly smtp: SmtpServer; readonly from: Sender },
  logger: Logger,
): Mailer {
  const openTransport = async () => {
    const { createTransport } = await import('nodemailer')
    return createTransport({
      host: smtp.host,
      port: smtp.port,
      secure: smtp.secure,
      requireTLS: !smtp.secure && !smtp.loopback,
      ignoreTLS: !smtp.secure && smtp.loopback,
      allowInternalNetworkInterfaces: smtp.loopback,
      ...(smtp.credentials ? { auth: smtp.credentials } : {}),
      ...timeouts,
      logger: false,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
  }
  let transport: ReturnType<typeof openTransport> | undefined
  return {
    send: async (to, { subject, text, html, language }) => {
      try {
        transport ??= openTransport()
        await (
          await transport
        ).sendMail({
          from,
          // Objects, not strings, which would be read as lists of addresses.
          to: { name: '', address: to },
          envelope: { from: from.address, to: [to] },
          subject,
          text,
          html,
          xMailer: false,
          headers: {
            // RFC 3834: nobody's holiday notice answers it; Exchange has a header of its own for that.
            'Auto-Submitted': 'auto-generated',
            'X-Auto-Response-Suppress': 'All',
            'Content-Language': language,
          },
          signal: AbortSignal.timeout(patienceMs),
        })
      } catch (error) {
        const facts = factsOf(error)
        if (refusedForGood(error)) {
          logger.error(facts, 'the mail server refused a recipient')
          return
        }
        logger.error(facts, 'a mail could not be sent')
        throw new MailUnavailableError(facts.reason)
      }
    },
  }
}

/** What nodemailer's errors carry beside their words, which quote addresses and go nowhere. */
function factsOf(error: unknown): { reason: string; answer: number | undefined } {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown }
  return {
    reason: typeof code === 'string' ? code : error instanceof Error ? error.name : typeof error,
    answer: typeof responseCode === 'number' ? responseCode : undefined,
  }
}

/** The recipient was refused with a permanent answer (RFC 5321, 4.2.1: 5yz), the sender was not. */
function refusedForGood(error: unknown): boolean {
  const { command, responseCode } = error as { command?: unknown; responseCode?: unknown }
  return command === 'RCPT TO' && typeof responseCode === 'number' && responseCode >= 500
}
