import type { Purpose } from '../errors.ts'
import { type HttpRequest, maxProblemBytes, type Outcome, type Sender } from './http.ts'
import { type Credentials, secretsOf } from './credentials.ts'
import { priorities } from './rate-limiter.ts'
import { createTokens, tokenRequest } from './tokens.ts'

/** `requested`, the default: a user waits for it. `unknown`: for a key that no list has. */
export type CallOptions = {
  readonly priority?: 'requested' | 'list' | 'unknown' | 'background' | 'last' | undefined
  /** Aborts waiting and the call; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** A GET request to one of the two APIs. */
export type Get = {
  readonly purpose: Purpose
  /** The path with its query. */
  readonly path: string
  readonly api?: 'management' | 'webhooks'
  /** The member that contains the list, if not the top level; `idMember` is the id member of a record. */
  readonly member?: string
  readonly idMember?: string
  /** One record: the id that it must have. */
  readonly id?: string
  /** The value of the Merchant-Serial-Number header; sales unit credentials always send their own. */
  readonly msn?: string | undefined
  /** The maximum size of the response; by default the limit for lists. */
  readonly maxBytes?: number
}

/** The state of one call across attempts: their number, and whether it has renewed the token. */
export type Tally = { attempts: number; renewed: boolean }

/**
 * Sends a GET with a token, and once more with a new token after a 401. Rejects with the failure of the token endpoint,
 * or with the signal's reason.
 */
export type SendAuthorised = (get: Get, options: CallOptions, tally: Tally) => Promise<Outcome>

const neverSent: Outcome = { ok: false, reason: 'not sent' }

/** Creates a sender with tokens of its own. @param common headers of every request, token requests included */
export function createSendAuthorised(
  { send, pausedMs }: Sender,
  keys: Credentials,
  urls: { readonly management: string; readonly webhooks: string },
  common: Readonly<Record<string, string>>,
  now?: () => number,
): { readonly send: SendAuthorised; readonly pausedMs: () => number } {
  const tokens = createTokens(askForToken, now)

  async function askForToken(): Promise<Outcome> {
    const request = tokenRequest(keys, urls.management)
    const headers = { ...common, ...request.headers }
    const prepare = () => ({ ...request, headers, attempt: 1, maxBytes: maxProblemBytes })
    return (await send(prepare, { purpose: 'token', priority: priorities.token })) ?? neverSent
  }

  function requestOf(get: Get, token: string, tally: Tally): HttpRequest {
    const msn = keys.type === 'sales-unit' ? keys.merchantSerialNumber : get.msn
    tally.attempts += 1
    return {
      method: 'GET',
      url: urls[get.api ?? 'management'] + get.path,
      headers: {
        ...common,
        Authorization: `Bearer ${token}`,
        ...(keys.type !== 'management' && { 'Ocp-Apim-Subscription-Key': keys.subscriptionKey }),
        ...(msn !== undefined && { 'Merchant-Serial-Number': msn }),
      },
      secrets: [...secretsOf(keys), token],
      attempt: tally.attempts,
      maxBytes: get.maxBytes,
    }
  }

  return {
    send: async (get, { priority = 'requested', signal }, tally) => {
      const call = { purpose: get.purpose, signal }
      let used: string | undefined
      const sendOnce = async (): Promise<Outcome> => {
        await untilAborted(tokens.get(), signal)
        // A long wait for a permit can outlast the token, so the token is taken once the permit is granted.
        const prepare = () => (used = tokens.peek()) && requestOf(get, used, tally)
        const first = await send(() => prepare() || undefined, { ...call, priority: priorities[priority] })
        if (first) return first
        const fresh = await untilAborted(tokens.get(), signal)
        const again = () => requestOf(get, (used = tokens.peek() ?? fresh), tally)
        return (await send(again, { ...call, priority: priorities.retried })) ?? neverSent
      }

      const outcome = await sendOnce()
      if (outcome.ok || outcome.status !== 401 || tally.renewed || used === undefined) return outcome
      tally.renewed = true
      tokens.invalidate(used)
      return sendOnce()
    },
    pausedMs: () => Math.max(pausedMs(), tokens.pausedMs()),
  }
}

/** The promise, or the signal's reason if that comes first. The promise itself continues for other callers. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  const aborted = Promise.withResolvers<never>()
  const stop = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
