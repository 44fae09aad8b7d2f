import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * One response. A `body` other than text or a Buffer is sent as JSON; a function creates it from the request headers.
 * `cut` closes the connection without a response, `hang` never completes it.
 */
export type Answer = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly delayMs?: number
  readonly cut?: boolean
  readonly hang?: 'before' | 'in body'
}

/** A request as the server received it. */
export type Recorded = {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** performance.now() when it arrived. */
  readonly at: number
}

/** A real HTTP server in place of the Management API, with configurable responses, that records all requests. */
export type Upstream = {
  readonly url: string
  readonly requests: Recorded[]
  /** Requests to `path`, in order of arrival. */
  to(path: string): Recorded[]
  /** Sets the responses to `path`, in order; the last one repeats. */
  answer(path: string, ...answers: Answer[]): void
  /** The highest number of concurrent requests. */
  readonly peak: () => number
  /** The tokens issued so far, the newest last. */
  readonly tokens: string[]
  close(): Promise<void>
}

/** Starts the server on a free loopback port. @param tokenLifetime expires_in of the issued tokens, in seconds */
export async function startUpstream(tokenLifetime = 86_398): Promise<Upstream> {
  const answers = new Map<string, Answer[]>()
  const requests: Recorded[] = []
  const tokens: string[] = []
  let inFlight = 0
  let peak = 0

  const nextAnswer = (path: string): Answer => {
    const planned = answers.get(path)
    const next = planned && planned.length > 1 ? planned.shift() : planned?.[0]
    if (next) return next
    const standard = path === '/accesstoken/get'
    if (!standard && path !== '/miami/v1/token') return { status: 404, body: { title: 'Not Found' } }
    const token = `token-very-secret-${tokens.length + 1}`
    tokens.push(token)
    return { body: { access_token: token, expires_in: standard ? String(tokenLifetime) : tokenLifetime } }
  }

  const server = createServer((req, res) => {
    const at = performance.now()
    const { pathname: path, search: query } = new URL(req.url ?? '/', 'http://upstream')
    inFlight += 1
    peak = Math.max(peak, inFlight)
    res.on('close', () => (inFlight -= 1))
    let body = ''
    req.on('data', (chunk) => (body += String(chunk)))
    req.on('end', () => {
      requests.push({ method: req.method ?? '', path, query, headers: req.headers, body, at })
      void write(res, nextAnswer(path), req.headers)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')

  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    to: (path) => requests.filter((request) => request.path === path),
    answer: (path, ...planned) => void answers.set(path, planned),
    peak: () => peak,
    tokens,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function write(res: ServerResponse, answer: Answer, request: IncomingHttpHeaders): Promise<void> {
  if (answer.delayMs) await sleep(answer.delayMs)
  if (answer.cut) return void res.destroy()
  if (answer.hang === 'before') return
  const body: unknown = typeof answer.body === 'function' ? answer.body(request) : answer.body
  const text = typeof body === 'string' || body === undefined || Buffer.isBuffer(body)
  res.writeHead(answer.status ?? 200, {
    'content-type': text ? 'text/html' : 'application/json',
    ...answer.headers,
  })
  if (answer.hang === 'in body') return void res.write('[')
  res.end(text ? body : JSON.stringify(body))
}
