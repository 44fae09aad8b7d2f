import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import express, { type Express } from 'express'
import { SMTPServer } from 'smtp-server'
import { compileViews, viewClass } from '../src/presentation/view-engine.ts'
import { readMail, type ReceivedMail } from './mail-parts.ts'

/** A mail that the demo's mail server has taken. */
export type InboxMail = ReceivedMail & { readonly to: string; readonly raw: string; readonly at: Date }

/** A mail server on loopback that delivers everything to one page. */
export type DemoInbox = {
  /** For the portal's configuration. */
  readonly smtpUrl: string
  /** The newest first, as many as are kept. */
  readonly mails: readonly InboxMail[]
  /** The page, to be put wherever there is a server. */
  readonly page: Express
  readonly stop: () => Promise<void>
}

const views = fileURLToPath(new URL('./views', import.meta.url))
const mostKept = 50

/** Starts the mail server; without TLS and passwords, which on this machine nobody needs. */
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
  // A portal that hangs up in the middle is its own business.
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

/** The page of the mails, which are read afresh for each request. */
function createPage(mails: readonly InboxMail[]): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('view', viewClass(compileViews(views)))
  app.get('/', (_req, res) => {
    res.set('Cache-Control', 'no-store').render('inbox', { title: 'Demo inbox', mails })
  })
  return app
}
