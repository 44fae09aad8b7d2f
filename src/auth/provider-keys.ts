import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose'
import { EidUnavailableError } from '../errors.ts'
import type { ProviderFetch } from './provider-fetch.ts'

/** How long a key that the provider has withdrawn can remain valid. */
const maxAgeMs = 10 * 60_000

/** The provider's public keys. */
export type ProviderKeys = {
  readonly get: JWTVerifyGetKey
  /**
   * Fetches the keys again when `failure` says that the cached ones may be old: the signature does not verify, as when
   * the provider has changed its key under the same `kid`. @returns whether it has
   */
  readonly refetchAfter: (failure: unknown) => Promise<boolean>
}

/**
 * The provider's public keys (`jwks_uri`), cached for ten minutes. A JWT that names an unknown key triggers a fetch at
 * once, so that a rotated key works, but at most every `refetchMs`, and so does a signature that does not verify. A JWT
 * without `kid` counts only where one key fits (OpenID Connect Core 10.1).
 * @returns a function from the current `jwks_uri` to its keys
 */
export function createProviderKeys(options: {
  readonly fetch: ProviderFetch
  readonly timeoutMs: number
  readonly refetchMs: number
}): (jwksUri: string) => ProviderKeys {
  const fetch = withFailureCache(options.fetch, options.refetchMs)
  let current: { readonly uri: string; readonly keys: ProviderKeys } | undefined
  return (uri) => {
    if (current?.uri !== uri) {
      const get = createRemoteJWKSet(new URL(uri), {
        [customFetch]: fetch,
        timeoutDuration: options.timeoutMs,
        cooldownDuration: options.refetchMs,
        cacheMaxAge: maxAgeMs,
      })
      const refetchAfter = async (failure: unknown): Promise<boolean> => {
        if (!mayBeOld(failure) || get.coolingDown) return false
        await get.reload()
        return true
      }
      current = { uri, keys: { get, refetchAfter } }
    }
    return current.keys
  }
}

/** Keys that are registered by hand: the operator changes the file, and nothing is fetched. */
export function staticProviderKeys(jwks: JSONWebKeySet): () => ProviderKeys {
  const keys: ProviderKeys = { get: createLocalJWKSet(jwks), refetchAfter: async () => false }
  return () => keys
}

/** A signature that does not verify, or a JWT without `kid` that more than one cached key fits. */
function mayBeOld(failure: unknown): boolean {
  return failure instanceof errors.JWSSignatureVerificationFailed || failure instanceof errors.JWKSMultipleMatchingKeys
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
