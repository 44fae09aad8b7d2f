import { createHmac } from 'node:crypto'
import { lookup } from 'node:dns'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { channelUrlProblem, isPublicAddress } from '../domain/public-address.ts'

const timeoutMs = 10_000

/** The result of a post: `retryAfterSeconds` when another try can help. `reason` has no URL. */
export type Posted =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly retryAfterSeconds: number | undefined }

/**
 * Posts JSON to a channel, without following redirects. With a secret it is signed as Standard Webhooks do, with the id
 * of the message, which stays the same when it is sent again.
 * @param options.allowPrivate also posts to private addresses; otherwise a name that resolves to one is refused
 */
export async function postJson(
  url: string,
  body: object,
  options: { readonly id: string; readonly secret: string | null; readonly allowPrivate: boolean; readonly at: Date },
): Promise<Posted> {
  const problem = channelUrlProblem(url, options.allowPrivate)
  if (problem !== undefined) return { ok: false, reason: problem, retryAfterSeconds: undefined }
  const text = JSON.stringify(body)
  try {
    const { status, retryAfter } = await send(url, text, headersOf(text, options), options.allowPrivate)
    if (status >= 200 && status < 300) return { ok: true }
    const isTemporary = status === 408 || status === 425 || status === 429 || status >= 500
    return { ok: false, reason: `status ${status}`, retryAfterSeconds: isTemporary ? retryAfter : undefined }
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException
    return { ok: false, reason: code ?? name, retryAfterSeconds: code === privateAddress ? undefined : 0 }
  }
}

function headersOf(text: string, { id, secret, at }: Parameters<typeof postJson>[2]): Record<string, string> {
  const headers = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(text)) }
  if (secret === null) return headers
  const timestamp = String(Math.floor(at.getTime() / 1000))
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${text}`).digest('base64')
  return { ...headers, 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` }
}

/** The code of the error for a name that resolves to a private address. */
const privateAddress = 'EPRIVATE'

async function send(
  url: string,
  text: string,
  headers: Readonly<Record<string, string>>,
  allowPrivate: boolean,
): Promise<{ readonly status: number; readonly retryAfter: number }> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const call = request(url, {
      method: 'POST',
      headers,
      signal: AbortSignal.timeout(timeoutMs),
      // Checked where the connection is made: a name may resolve to another address each time.
      ...(allowPrivate ? {} : { lookup: lookupPublic }),
    })
    call.on('error', reject)
    call.on('response', (response) => {
      const seconds = Number(response.headers['retry-after'])
      resolve({ status: response.statusCode ?? 0, retryAfter: Number.isFinite(seconds) ? Math.min(seconds, 3600) : 0 })
      response.resume().on('error', () => {})
    })
    call.end(text)
  })
}

/** Resolves a name as node:dns does. @throws an error with the code EPRIVATE for a name of a private address */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const refused = addresses?.some(({ address }) => !isPublicAddress(address))
    const problem = refused ? Object.assign(new Error('private address'), { code: privateAddress }) : error
    const [first] = addresses ?? []
    if (problem || !first) return callback(problem ?? new Error('no address'), '')
    return options.all ? callback(null, addresses) : callback(null, first.address, first.family)
  })
}
