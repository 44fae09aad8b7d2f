import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { readMail, type ReceivedMail } from '../../demo/mail-parts.ts'

/** A received mail with its envelope. */
export type TestMail = ReceivedMail & {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
}

/** A real SMTP server on loopback. */
export type MailServer = {
  readonly port: number
  /** The received mails, the newest last. */
  readonly mails: TestMail[]
  /** The code in the newest mail to this address. */
  readonly codeFor: (address: string) => string
  readonly stop: () => Promise<void>
}

/** The status with which the server refuses a command; by default it accepts all. */
export type Refusals = { rcpt?: number; data?: number }

/** @param options.port 0 for any free port; a restarted server needs its previous one */
export async function startMailServer(
  options: { readonly port?: number; readonly refuse?: Refusals; readonly smtp?: SMTPServerOptions } = {},
): Promise<MailServer> {
  const { port: wanted = 0, refuse = {}, smtp = { disabledCommands: ['AUTH', 'STARTTLS'] } } = options
  const mails: TestMail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 50,
    onRcptTo: ({ address }, _session, done) => {
      done(refusal(refuse.rcpt, `<${address}>: no such mailbox`))
    },
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString('latin1')
        const to = envelope.rcptTo.map(({ address }) => address)
        const from = envelope.mailFrom ? envelope.mailFrom.address : ''
        if (refuse.data === undefined) mails.push({ ...readMail(raw), from, to, raw })
        done(refusal(refuse.data, `cannot take mail for ${to.join()}`))
      })
    },
    ...smtp,
  })
  server.on('error', () => {})
  const listener = server.listen(wanted, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    mails,
    codeFor: (address) => {
      const mail = mails.findLast(({ to }) => to.includes(address))
      const code = /^\s+(\d{3}) (\d{3})$/m.exec(mail?.text ?? '')
      if (!code) throw new Error(`no code was mailed to ${address}`)
      return `${code[1]}${code[2]}`
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
      }),
  }
}

function refusal(status: number | undefined, words: string): Error | null {
  return status === undefined ? null : Object.assign(new Error(words), { responseCode: status })
}
