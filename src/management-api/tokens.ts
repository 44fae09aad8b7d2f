import { z } from 'zod'
import { type UpstreamError, UpstreamRefusedError, UpstreamUnavailableError } from '../errors.ts'
import { failureOf } from './failure.ts'
import type { HttpRequest, Outcome } from './http.ts'
import { basicCredentials, type Credentials, secretsOf } from './credentials.ts'

/** The access tokens of one client. */
export type Tokens = {
  /**
   * A valid token. Concurrent callers share one request.
   * @throws UpstreamRefusedError, purpose `token`, when the credentials are refused (400, 401, 403)
   * @throws UpstreamUnavailableError, purpose `token`, for every other failure
   */
  get(): Promise<string>
  /** The cached token, if valid; renews it in the background before it expires. */
  peek(): string | undefined
  /** Drops `token` if it is the cached one, after the API answered 401 to it. */
  invalidate(token: string): void
  /** Milliseconds in which `get` rejects without a call, after a failure. */
  pausedMs(): number
}

/** The token request, without the headers of every request. */
export type TokenRequest = Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body' | 'secrets'>

const answerSchema = z.object({
  access_token: z.string().min(1),
  // One endpoint sends a string, the other a number.
  expires_in: z.coerce.number().positive(),
})

/** The token request for these credentials. */
export function tokenRequest(keys: Credentials, managementApiUrl: string): TokenRequest {
  const secrets = secretsOf(keys)
  if (keys.type === 'management') {
    return {
      method: 'POST',
      url: `${managementApiUrl}/miami/v1/token`,
      // Not form-encoded first (RFC 6749, 2.3.1), because this API does not decode.
      headers: {
        Authorization: `Basic ${basicCredentials(keys)}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials',
      secrets,
    }
  }
  return {
    method: 'POST',
    url: `${managementApiUrl}/accesstoken/get`,
    headers: {
      client_id: keys.clientId,
      client_secret: keys.clientSecret,
      'Ocp-Apim-Subscription-Key': keys.subscriptionKey,
      ...(keys.merchantSerialNumber !== undefined && { 'Merchant-Serial-Number': keys.merchantSerialNumber }),
    },
    secrets,
  }
}

/**
 * Creates the token cache of one client.
 * @param ask sends the token request, once
 * @param now ms since the epoch; a clock that includes sleep of the machine, as tokens expire then too
 */
export function createTokens(ask: () => Promise<Outcome>, now: () => number = Date.now): Tokens {
  let current: { token: string; refreshAt: number; expiresAt: number } | undefined
  let refreshing: Promise<string> | undefined
  let failure: { error: UpstreamError; until: number } | undefined
  let failures = 0

  function fail(error: UpstreamError): never {
    failures += 1
    failure = { error, until: now() + pauseMs(error, failures) }
    throw error
  }

  async function refresh(): Promise<string> {
    const outcome = await ask()
    if (!outcome.ok) return fail(failureOf('token', outcome, [400, 401, 403]))
    const answer = parseAnswer(outcome.body.toString('utf8'))
    if (!answer) {
      const cause = new Error('response is not a token')
      return fail(new UpstreamUnavailableError({ purpose: 'token', status: outcome.status }, { cause }))
    }
    const lifetime = answer.expires_in * 1000
    const expiresAt = now() + lifetime
    current = {
      token: answer.access_token,
      expiresAt,
      refreshAt: expiresAt - Math.min(60_000, lifetime / 10),
    }
    failure = undefined
    failures = 0
    return answer.access_token
  }

  function refreshOnce(): Promise<string> {
    if (!refreshing && failure && now() < failure.until) return Promise.reject(failure.error)
    refreshing ??= refresh().finally(() => (refreshing = undefined))
    return refreshing
  }

  function hasToken(): boolean {
    return current !== undefined && now() < current.expiresAt
  }

  function peek(): string | undefined {
    if (!current || !hasToken()) return undefined
    // The cached token stays valid if this fails; the failure is logged.
    if (now() >= current.refreshAt) refreshOnce().catch(() => {})
    return current.token
  }

  return {
    get: async () => peek() ?? refreshOnce(),
    peek,
    invalidate: (token) => {
      if (current?.token === token) current = undefined
    },
    pausedMs: () => (failure && !hasToken() ? Math.max(0, failure.until - now()) : 0),
  }
}

/** The pause after a failure: 1 s (10 s when the credentials were refused), doubled up to a minute. */
function pauseMs(error: UpstreamError, failures: number): number {
  return Math.min((error instanceof UpstreamRefusedError ? 10_000 : 1000) * 2 ** (failures - 1), 60_000)
}

function parseAnswer(body: string): z.output<typeof answerSchema> | undefined {
  try {
    return answerSchema.safeParse(JSON.parse(body.replace(/^\uFEFF/, ''))).data
  } catch {
    return undefined
  }
}
