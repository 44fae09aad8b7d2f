import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { EidUnavailableError } from '../errors.ts'
import type { ProviderFetch } from './provider-fetch.ts'

/** Keys that a provider has withdrawn count for this long at most. */
const maxAgeMs = 10 * 60_000

/**
 * The provider's public keys (`jwks_uri`): kept for ten minutes, and fetched at once when a JWT names a key that is
 * not among them, so that a rotated key works straight away; but never more often than every `refetchMs`, whatever
 * unknown keys somebody names. A JWT without `kid` counts only where one key fits (OpenID Connect Core 10.1).
 * @returns gives the resolver for the address that the metadata names now
 */
export function createProviderKeys(options: {
  readonly fetch: ProviderFetch
  readonly timeoutMs: number
  readonly refetchMs: number
}): (jwksUri: string) => JWTVerifyGetKey {
  const fetch = carefully(options.fetch, options.refetchMs)
  let current: { readonly uri: string; readonly keys: JWTVerifyGetKey } | undefined
  return (uri) => {
    if (current?.uri !== uri) {
      const keys = createRemoteJWKSet(new URL(uri), {
        [customFetch]: fetch,
        timeoutDuration: options.timeoutMs,
        cooldownDuration: options.refetchMs,
        cacheMaxAge: maxAgeMs,
      })
      current = { uri, keys }
    }
    return current.keys
  }
}

/**
 * Fetches keys and remembers a failure for a moment, which jose does not: whoever makes the portal look for keys that
 * there are not must not make it ask a provider in trouble again and again.
 */
function carefully(fetch: ProviderFetch, restMs: number): ProviderFetch {
  let failed: { readonly at: number; readonly error: unknown } | undefined
  return async (url, options) => {
    if (failed && Date.now() - failed.at < restMs) throw failed.error
    try {
      const response = await fetch(url, options)
      if (response.status >= 500 || response.status === 429) throw new EidUnavailableError(`keys: ${response.status}`)
      if (response.status === 200) createLocalJWKSet((await response.clone().json()) as JSONWebKeySet)
      failed = undefined
      return response
    } catch (error) {
      failed = { at: Date.now(), error }
      throw error
    }
  }
}
