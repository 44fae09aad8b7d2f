import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import express, { type Express } from 'express'
import { SMTPServer } from 'smtp-server'
import { compileViews, viewClass } from '../src/presentation/view-engine.ts'
import { readMail, type ReceivedMail } from './mail-parts.ts'

/** A mail that the demo's mail server has accepted. */
export type InboxMail = ReceivedMail & { readonly to: string; readonly raw: string; readonly at: Date }

/** A mail server on loopback that shows all mails on one page. */
export type DemoInbox = {
  /** The SMTP_URL for the portal's configuration. */
  readonly smtpUrl: string
  /** The latest mails, newest first. */
  readonly mails: readonly InboxMail[]
  /** The page, to be mounted on any server. */
  readonly page: Express
  readonly stop: () => Promise<void>
}

const views = fileURLToPath(new URL('./views', import.meta.url))
const mostKept = 50

/** Starts the mail server, without TLS and passwords, as it is only reachable from this machine. */
export async function startDemoInbox(): Promise<DemoInbox> {
  const mails: InboxMail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 100,
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString('latin1')
        for (const { address } of envelope.rcptTo) mails.unshift({ ...readMail(raw), to: address, raw, at: new Date() })
        mails.splice(mostKept)
        done()
      })
    },
  })
  // A connection that the portal closes early is no error of the demo.
  server.on('error', () => {})
  const listener = server.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  return {
    smtpUrl: `smtp://127.0.0.1:${port}`,
    mails,
    page: createPage(mails),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
      }),
  }
}

/** The page of mails, rendered anew for each request. */
function createPage(mails: readonly InboxMail[]): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('view', viewClass(compileViews(views)))
  app.get('/', (_req, res) => {
    res.set('Cache-Control', 'no-store').render('inbox', { title: 'Demo inbox', mails })
  })
  return app
}
