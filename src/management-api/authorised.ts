import type { Purpose } from '../errors.ts'
import type { HttpRequest, Outcome, Send } from './http.ts'
import { type Keys, secretsOf } from './keys.ts'
import { priorities } from './limiter.ts'
import { createTokens, tokenRequest } from './tokens.ts'

/** `interactive`, which is the default, goes before a `list`, and that before what is read in the `background`. */
export type CallOptions = {
  readonly priority?: 'interactive' | 'list' | 'background' | undefined
  /** Ends waiting, and the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** A GET to one of the two APIs. */
export type Get = {
  readonly purpose: Purpose
  /** With its query, if it has one. */
  readonly path: string
  readonly api?: 'management' | 'webhooks'
  /** Where an answer keeps its list, if not at the top. */
  readonly member?: string
  /** The sales unit that is asked for in a header; sales unit keys always ask for their own. */
  readonly msn?: string | undefined
}

/** What one call has used up: its attempts, and the one new token it may ask for. */
export type Tally = { attempts: number; renewed: boolean }

/**
 * Sends a GET with a token, and once more with a new token when the first one is answered with 401.
 * Rejects with what the token endpoint's failure is, or with the signal's reason.
 */
export type SendAuthorised = (get: Get, options: CallOptions, tally: Tally) => Promise<Outcome>

const neverSent: Outcome = { ok: false, reason: 'never sent' }

/** The promise, or the signal's reason if that comes first; others may still wait for the same promise. */
const untilAborted = async <T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
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

/** @param common the headers that go with every request, token requests too */
export const createSendAuthorised = (
  send: Send,
  keys: Keys,
  urls: { readonly management: string; readonly webhooks: string },
  common: Readonly<Record<string, string>>,
  now?: () => number,
): SendAuthorised => {
  const forToken = tokenRequest(keys, urls.management)
  const withCommon: HttpRequest = { ...forToken, headers: { ...common, ...forToken.headers }, attempt: 1 }
  const tokens = createTokens(
    async () => (await send(() => withCommon, { purpose: 'token', priority: priorities.token })) ?? neverSent,
    now,
  )

  const request = (get: Get, token: string, tally: Tally): HttpRequest => {
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
    }
  }

  return async (get, { priority = 'interactive', ...options }, tally) => {
    const turn = { purpose: get.purpose, ...options }
    let used: string | undefined
    const sendOnce = async (): Promise<Outcome> => {
      await untilAborted(tokens.get(), turn.signal)
      // A long wait for a turn can outlast the token, so the token is taken when the turn comes.
      const atTurn = () => (used = tokens.peek()) && request(get, used, tally)
      const first = await send(() => atTurn() || undefined, { ...turn, priority: priorities[priority] })
      if (first) return first
      const fresh = await untilAborted(tokens.get(), turn.signal)
      const again = () => request(get, (used = tokens.peek() ?? fresh), tally)
      return (await send(again, { ...turn, priority: priorities.retried })) ?? neverSent
    }

    const outcome = await sendOnce()
    if (outcome.ok || outcome.status !== 401 || tally.renewed || used === undefined) return outcome
    tally.renewed = true
    tokens.invalidate(used)
    return sendOnce()
  }
}
