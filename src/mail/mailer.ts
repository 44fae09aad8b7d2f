import { isIP } from 'node:net'
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
  /** Headers besides those of every mail. */
  readonly headers?: Readonly<Record<string, string>>
  /** Made by the library by default. */
  readonly messageId?: string
}

/** Sends mails through the configured server. */
export type Mailer = {
  /**
   * Sends one mail to the mail server. Resolves when the server has accepted it, and also when it knows no such
   * recipient: the caller must not learn whether a mailbox exists. Refusals are logged.
   * @param to as emailAddress() gives it
   * @throws MailUnavailableError when there is no answer, or any other refusal
   */
  readonly send: (to: string, mail: Mail) => Promise<void>
}

/** Short timeouts, because a user waits for the page. */
const timeouts = { dnsTimeout: 5000, connectionTimeout: 5000, greetingTimeout: 5000, socketTimeout: 10_000 }
const patienceMs = 15_000

/**
 * Creates a mailer without connecting; each mail uses its own connection. The library is loaded on first use, as most
 * processes send no mail.
 * @param options.name the portal's host name, for EHLO
 */
export function createMailer(
  { smtp, from, name }: { readonly smtp: SmtpServer; readonly from: Sender; readonly name: string | undefined },
  logger: Logger,
): Mailer {
  const openTransport = async () => {
    const { createTransport } = await import('nodemailer')
    return createTransport({
      host: smtp.host,
      port: smtp.port,
      secure: smtp.secure,
      ...(name === undefined ? {} : { name }),
      requireTLS: !smtp.secure && !smtp.loopback,
      // On this machine, STARTTLS is used where the server has it, with whatever certificate it made for itself.
      ...(smtp.loopback && !smtp.secure ? { tls: { rejectUnauthorized: false } } : {}),
      allowInternalNetworkInterfaces: smtp.loopback,
      // forceAuth: a server that takes no credentials is an error; without it, they would be left out in silence.
      ...(smtp.credentials ? { auth: smtp.credentials, forceAuth: true } : {}),
      ...timeouts,
      logger: false,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
  }
  let transport: ReturnType<typeof openTransport> | undefined
  return {
    send: async (to, { subject, text, html, language, headers, messageId }) => {
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
          ...(messageId === undefined ? {} : { messageId }),
          xMailer: false,
          headers: {
            ...headers,
            // Suppresses automatic replies (RFC 3834); Exchange has a header of its own.
            'Auto-Submitted': 'auto-generated',
            'X-Auto-Response-Suppress': 'All',
            'Content-Language': language,
          },
          signal: AbortSignal.timeout(patienceMs),
        })
      } catch (error) {
        const facts = factsOf(error, to)
        if (isRecipientRefused(error)) {
          logger.error(facts, 'mail recipient refused')
          return
        }
        logger.error(facts, 'mail not sent')
        throw new MailUnavailableError(facts.reason)
      }
    },
  }
}

/** The name in EHLO, which mail servers check: the host of PORTAL_URL. The library spells an address by itself. */
export function ehloNameOf(portalUrl: string): string | undefined {
  const { hostname } = new URL(portalUrl)
  return isIP(hostname) || hostname.startsWith('[') ? undefined : hostname
}

/** What the log has about a failure; error messages quote addresses and are dropped. */
type Facts = {
  /** The code of the system or of TLS, such as ECONNREFUSED, else that of nodemailer. */
  readonly reason: string
  /** The status with which the server answered, and its words. */
  readonly answer: number | undefined
  readonly words: string | undefined
}

function factsOf(error: unknown, recipient: string): Facts {
  const { code, originalCode, responseCode, response } = error as Readonly<Record<string, unknown>>
  const own = error instanceof Error ? error : undefined
  const reason = [originalCode, code].find((each) => typeof each === 'string')
  // A failed handshake has its cause only in its message, which is of OpenSSL and has no addresses.
  const handshake = code === 'ETLS' ? own?.message : undefined
  const said = typeof response === 'string' ? response : handshake
  return {
    reason: reason ?? own?.name ?? typeof error,
    answer: typeof responseCode === 'number' ? responseCode : undefined,
    words: said === undefined ? undefined : withoutAddresses(said, recipient).slice(0, 200),
  }
}

/** Servers quote addresses, and the recipient also without its domain. */
function withoutAddresses(text: string, recipient: string): string {
  const mailbox = recipient.slice(0, recipient.lastIndexOf('@'))
  const plain = text.replaceAll(/\s+/g, ' ').replaceAll(/<[^>]*>|\S+@\S+/g, '…')
  return mailbox.length > 2 ? plain.replaceAll(mailbox, '…') : plain
}

/**
 * True when the server says that there is no such mailbox (RFC 5321, 4.2.3). Other refusals are of the portal, such as
 * 504 for its name, 554 for its network, and 4yz for now.
 */
function isRecipientRefused(error: unknown): boolean {
  const { command, responseCode } = error as { command?: unknown; responseCode?: unknown }
  return command === 'RCPT TO' && typeof responseCode === 'number' && [550, 551, 553].includes(responseCode)
}
