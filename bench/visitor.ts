import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDemoEid } from '../src/demo/eid.ts'
import type { DemoPerson } from '../src/demo/people.ts'
import { newSigningKey } from '../src/demo/state.ts'
import { Browser } from '../test/support/browser.ts'
import { atEnd } from './ending.ts'

export const clientId = 'portal'
export const clientSecret = 'client-secret-of-the-bench'

/** Who look at the pages, in turns: the portal lets one person open so many pages a minute, and one address. */
export const visitors: readonly DemoPerson[] = Array.from({ length: 40 }, (_, number) => ({
  sub: `visitor-${number}`,
  name: `Visitor number ${number};`,
  email: `visitor.${number}@example.com`,
  emailVerified: true,
  description: 'Looks at pages',
  grants: [],
}))

/** An eID provider before it knows its portal. */
export type EidServer = { readonly issuer: string; readonly servePortal: (portalUrl: string) => void }

const listen = async (): Promise<{ server: Server; url: string }> => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** A port that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const { server, url } = await listen()
  const closed = once(server, 'close')
  server.close()
  await closed
  return Number(new URL(url).port)
}

export const startEid = async (): Promise<EidServer> => {
  const { server, url: issuer } = await listen()
  atEnd(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    issuer,
    servePortal: (portalUrl) => {
      const people = visitors
      const [jwks, cookieKeys] = [{ keys: [newSigningKey()] }, ['cookie-key-of-the-bench']]
      const eid = createDemoEid({ issuer, portalUrl, clientId, clientSecret, people, jwks, cookieKeys })
      server.removeAllListeners('request')
      server.on('request', eid as RequestListener)
    },
  }
}

/** People who are signed in and look at pages, in turns, on connections that stay open. */
export type Visitor = {
  /**
   * Opens a page of the portal, or of the address given, and tells how long it took, to its last byte.
   * @throws Error when it is not 200
   */
  readonly view: (path: string) => Promise<number>
  /** What the page says, not compressed. */
  readonly text: (path: string) => Promise<string>
}

/** What browsers of today say that they understand. */
const encodings = 'gzip, deflate, br, zstd'

/**
 * Signs all of them in. The portal must believe X-Forwarded-For, as behind a proxy.
 * @param options.connections so many requests at once, at most; one unless given
 * @param options.compressed asks for compressed answers, as browsers do
 */
export const signIn = async (
  portalUrl: string,
  { connections = 1, compressed = false }: { connections?: number; compressed?: boolean } = {},
): Promise<Visitor> => {
  const everybody: Readonly<Record<string, string>>[] = []
  for (const [number, { name }] of visitors.entries()) {
    const browser = new Browser(portalUrl)
    await browser.signIn(name)
    const Cookie = `portal=${browser.cookie('portal')}`
    everybody.push({ Accept: 'text/html', Cookie, 'X-Forwarded-For': `10.0.${number}.1` })
  }
  let views = 0
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  atEnd(() => agent.destroy())
  const open = async (path: string, more: Readonly<Record<string, string>>): Promise<IncomingMessage> => {
    const headers = { ...everybody[(views += 1) % everybody.length], ...more }
    const [response] = (await once(get(new URL(path, portalUrl), { agent, headers }), 'response')) as [
      IncomingMessage,
    ]
    if (response.statusCode !== 200) throw new Error(`${path} answered ${response.statusCode}`)
    return response
  }
  const asked: Readonly<Record<string, string>> = compressed ? { 'Accept-Encoding': encodings } : {}
  return {
    view: async (path) => {
      const began = performance.now()
      const response = await open(path, asked)
      response.resume()
      await once(response, 'end')
      return performance.now() - began
    },
    text: async (path) => {
      const response = await open(path, {})
      return (await response.setEncoding('utf8').toArray()).join('')
    },
  }
}
