import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { EidUnavailableError } from '../errors.ts'
import type { ProviderFetch } from './provider-fetch.ts'

/** How long a key that the provider has withdrawn can remain valid. */
const maxAgeMs = 10 * 60_000

/**
 * The provider's public keys (`jwks_uri`), cached for ten minutes. A JWT that names an unknown key triggers a fetch at
 * once, so that a rotated key works, but at most every `refetchMs`. A JWT without `kid` counts only where one key fits
 * (OpenID Connect Core 10.1).
 * @returns a function from the current `jwks_uri` to its key resolver
 */
export function createProviderKeys(options: {
  readonly fetch: ProviderFetch
  readonly timeoutMs: number
  readonly refetchMs: number
}): (jwksUri: string) => JWTVerifyGetKey {
  const fetch = withFailureCache(options.fetch, options.refetchMs)
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
 * Remembers a failed fetch for `restMs`, which jose does not. Tokens with unknown keys must not make the portal flood a
 * provider in trouble.
 */
function withFailureCache(fetch: ProviderFetch, restMs: number): ProviderFetch {
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
