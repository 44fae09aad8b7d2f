import type { Purpose } from '../errors.ts'
import { type HttpRequest, maxProblemBytes, type Outcome, type Sender } from './http.ts'
import { type Keys, secretsOf } from './credentials.ts'
import { priorities } from './rate-limiter.ts'
import { createTokens, tokenRequest } from './tokens.ts'

/** `requested`, the default: a user waits for it. `unknown`: for something that no list has. */
export type CallOptions = {
  readonly priority?: 'requested' | 'list' | 'unknown' | 'background' | 'last' | undefined
  /** Ends waiting, and the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** A GET to one of the two APIs. */
export type Get = {
  readonly purpose: Purpose
  /** With its query, if it has one. */
  readonly path: string
  readonly api?: 'management' | 'webhooks'
  /** Where an answer keeps its list, if not at the top; `idMember` names the id of its records. */
  readonly member?: string
  readonly idMember?: string
  /** The sales unit that is asked for in a header; sales unit keys always ask for their own. */
  readonly msn?: string | undefined
  /** Of the answer; else as much as a list may have. */
  readonly maxBytes?: number
}

/** What one call has used up: its attempts, and the one new token it may ask for. */
export type Tally = { attempts: number; renewed: boolean }

/**
 * Sends a GET with a token, and once more with a new token when the first one is answered with 401.
 * Rejects with what the token endpoint's failure is, or with the signal's reason.
 */
export type SendAuthorised = (get: Get, options: CallOptions, tally: Tally) => Promise<Outcome>

const neverSent: Outcome = { ok: false, reason: 'never sent' }

/** @param common the headers that go with every request, token requests too */
export function createSendAuthorised(
  { send, pausedMs }: Sender,
  keys: Keys,
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
        // A long wait for a permit can outlast the token, so the token is taken when the permit comes.
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

/** The promise, or the signal's reason if that comes first; others may still wait for the same promise. */
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
