import { MailUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'

/** The mail server, from the configuration. */
export type SmtpServer = {
  readonly host: string
  readonly port: number
  /** Implicit TLS (smtps). */
  readonly secure: boolean
  /** On this machine; only then may mails be sent without TLS. */
  readonly loopback: boolean
  readonly credentials: { readonly user: string; readonly pass: string } | undefined
}

/** A sender: a plain address and, optionally, a display name. */
export type Sender = { readonly name: string; readonly address: string }

/** A mail as text and as HTML, both in `language`, such as `nb`. */
export type Mail = {
  readonly subject: string
  readonly text: string
  readonly html: string
  readonly language: string
}

/** Sends mails through the configured server. */
export type Mailer = {
  /**
   * Sends one mail to the mail server. Resolves when the server has accepted it, and also when it has refused the
   * recipient permanently: the caller must not learn whether a mailbox exists. Refusals are logged.
   * @param to as emailAddress() gives it
   * @throws MailUnavailableError when there is no answer, or a temporary failure
   */
  readonly send: (to: string, mail: Mail) => Promise<void>
}

/** Short timeouts, because a user waits for the page. */
const timeouts = { dnsTimeout: 5000, connectionTimeout: 5000, greetingTimeout: 5000, socketTimeout: 10_000 }
const patienceMs = 15_000

/**
 * Creates a mailer without connecting; each mail uses its own connection. The library is loaded on first use, as most
 * processes send no mail.
 */
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
          // An object, because strings are parsed as lists of addresses.
          to: { name: '', address: to },
          envelope: { from: from.address, to: [to] },
          subject,
          text,
          html,
          xMailer: false,
          headers: {
            // Suppresses automatic replies (RFC 3834); Exchange has a header of its own.
            'Auto-Submitted': 'auto-generated',
            'X-Auto-Response-Suppress': 'All',
            'Content-Language': language,
          },
          signal: AbortSignal.timeout(patienceMs),
        })
      } catch (error) {
        const facts = factsOf(error)
        if (refusedForGood(error)) {
          logger.error(facts, 'mail recipient refused')
          return
        }
        logger.error(facts, 'mail not sent')
        throw new MailUnavailableError(facts.reason)
      }
    },
  }
}

/** The loggable parts of nodemailer's errors; their messages quote addresses and are dropped. */
function factsOf(error: unknown): { reason: string; answer: number | undefined } {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown }
  return {
    reason: typeof code === 'string' ? code : error instanceof Error ? error.name : typeof error,
    answer: typeof responseCode === 'number' ? responseCode : undefined,
  }
}

/** True when the recipient, not the sender, was refused permanently (RFC 5321, 4.2.1: 5yz). */
function refusedForGood(error: unknown): boolean {
  const { command, responseCode } = error as { command?: unknown; responseCode?: unknown }
  return command === 'RCPT TO' && typeof responseCode === 'number' && responseCode >= 500
}
