import type { JSONWebKeySet } from 'jose'
import * as oidc from 'openid-client'
import type { EidKey } from '../config/oidc-keys.ts'
import { EidAnswerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type ClientAuth, clientAuthentication, decryptionKey } from './client-keys.ts'
import { eidError, wordOf } from './eid-error.ts'
import { createProviderFetch } from './provider-fetch.ts'
import { createProviderKeys, type ProviderKeys, staticProviderKeys } from './provider-keys.ts'

/** The eID provider and the portal's registration there, from the configuration. */
export type EidOptions = {
  readonly issuer: string
  readonly clientId: string
  readonly clientAuth: ClientAuth
  readonly clientSecret: string | undefined
  /** The first key signs; all are published. */
  readonly signingKeys: readonly EidKey[]
  readonly decryptionKeys: readonly EidKey[]
  /** The provider's public keys, where they are registered by hand; otherwise they come from its `jwks_uri`. */
  readonly providerKeys: JSONWebKeySet | undefined
  /** The audience of the portal's assertions with private_key_jwt. */
  readonly clientJwtAudience: 'issuer' | 'token_endpoint'
  /** Pushed authorization requests (RFC 9126). */
  readonly usePar: boolean
  /** Signed request objects (RFC 9101). */
  readonly useJar: boolean
  readonly scope: string
  /** The `acr_values` that a sign-in asks for; providers also choose the eID by them. */
  readonly acrValues: string | undefined
  /** The values of `acr` of which the ID token must have one; empty demands nothing. */
  readonly requiredAcr: readonly string[]
  /** Accepted signature algorithms for ID tokens, logout tokens and signed userinfo; never `none`. */
  readonly idTokenAlgs: readonly string[]
}

/** The eID provider. It may be down when the portal starts: each sign-in retries discovery until it succeeds. */
export type Eid = {
  readonly options: EidOptions
  /**
   * The provider's metadata (OpenID Connect Discovery), cached. It is refreshed in the background every day and after
   * markStale(); the cached metadata stays in use until then.
   * @throws EidUnavailableError, EidAnswerError when discovery has never succeeded
   */
  readonly configuration: () => Promise<oidc.Configuration>
  /** The cached metadata; undefined before the first successful discovery. */
  readonly known: () => oidc.Configuration | undefined
  /** The origins that a sign-out may redirect the browser to, as far as discovered; for the form-action of the CSP. */
  readonly signOutOrigins: () => readonly string[]
  /**
   * Marks the metadata as stale after a failure, as endpoints may have changed. It is refreshed once a minute at most.
   */
  readonly markStale: () => void
  /** The provider's public keys at this `jwks_uri`, or those that are registered by hand. */
  readonly keys: (jwksUri: string) => ProviderKeys
}

/** Timeouts and intervals in ms; tests shorten them. */
export type EidTimes = {
  /** The timeout of one request to the provider. */
  readonly timeoutMs?: number
  /** The age at which the metadata is refreshed. */
  readonly refreshMs?: number
  /** The minimum interval between two discoveries, successful or not. */
  readonly restMs?: number
  /** The minimum interval between two fetches of the provider's keys. */
  readonly refetchKeysMs?: number
}

const needed = ['authorization_endpoint', 'token_endpoint'] as const
const optional = ['userinfo_endpoint', 'end_session_endpoint'] as const

/**
 * Creates the client of the eID provider. Nothing is requested before the first use.
 * @param logger gets a line for every discovery, successful or not
 */
export function createEid(options: EidOptions, logger: Logger, times: EidTimes = {}): Eid {
  const { timeoutMs = 10_000, refreshMs = 86_400_000, restMs = 60_000, refetchKeysMs = 5000 } = times
  const fetch = createProviderFetch(timeoutMs)
  const authentication = clientAuthentication(options)
  // The configuration accepts http on loopback only.
  const insecure = new URL(options.issuer).protocol === 'http:' ? [oidc.allowInsecureRequests] : []
  const extensions = [
    ...insecure,
    ...(options.decryptionKeys.length > 0
      ? [
          (configuration: oidc.Configuration) =>
            oidc.enableDecryptingResponses(configuration, undefined, ...options.decryptionKeys.map(decryptionKey)),
        ]
      : []),
  ]
  let found: oidc.Configuration | undefined
  let signOutOrigins = originsOf(options.issuer)
  let dueAt = 0
  let restedAt = 0
  let underWay: Promise<oidc.Configuration> | undefined

  const discover = async (): Promise<oidc.Configuration> => {
    try {
      const discovered = await oidc.discovery(new URL(options.issuer), options.clientId, {}, authentication, {
        timeout: timeoutMs / 1000,
        execute: insecure,
        [oidc.customFetch]: fetch,
      })
      // The library types the metadata as an intersection with its helper.
      const metadata: oidc.ServerMetadata = discovered.serverMetadata()
      checkEndpoints(metadata, options)
      if (metadata.issuer !== options.issuer) logger.warn(spelling(metadata.issuer, options.issuer))
      const configuration = new oidc.Configuration(
        // The operator decides which algorithms are accepted, not the provider.
        { ...metadata, id_token_signing_alg_values_supported: [...options.idTokenAlgs] },
        options.clientId,
        {},
        authentication,
      )
      configuration.timeout = timeoutMs / 1000
      configuration[oidc.customFetch] = fetch
      for (const extend of extensions) extend(configuration)
      logger.info({ issuer: options.issuer }, 'eID provider found')
      found = configuration
      signOutOrigins = originsOf(options.issuer, metadata.end_session_endpoint ?? options.issuer)
      dueAt = Date.now() + refreshMs
      return configuration
    } catch (error) {
      const reason = spelledOtherwise(error, options.issuer) ?? eidError(error)
      logger.warn({ issuer: options.issuer, err: reason }, 'eID provider not found')
      throw reason
    } finally {
      restedAt = Date.now() + restMs
    }
  }
  const refresh = (): Promise<oidc.Configuration> =>
    (underWay ??= discover().finally(() => {
      underWay = undefined
    }))

  return {
    options,
    known: () => found,
    signOutOrigins: () => signOutOrigins,
    markStale: () => {
      dueAt = 0
    },
    keys: options.providerKeys
      ? staticProviderKeys(options.providerKeys)
      : createProviderKeys({ fetch, timeoutMs, refetchMs: refetchKeysMs }),
    configuration: async () => {
      if (!found) return refresh()
      if (Date.now() >= Math.max(dueAt, restedAt)) refresh().catch(() => {})
      return found
    },
  }
}

function originsOf(...addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses.map((address) => new URL(address).origin))]
}

/** The error for metadata of another issuer, such as one with a slash at its end that OIDC_ISSUER lacks. */
function spelledOtherwise(error: unknown, issuer: string): EidAnswerError | undefined {
  const { cause } = error as { cause?: { attribute?: unknown; body?: { issuer?: unknown } } }
  if (cause?.attribute !== 'issuer' || typeof cause.body?.issuer !== 'string') return undefined
  return new EidAnswerError(spelling(cause.body.issuer, issuer))
}

function spelling(theirs: string, ours: string): string {
  return `the provider calls itself ${wordOf(theirs, 200)}, OIDC_ISSUER says ${ours}`
}

/** Requires every endpoint to be an https URL before a browser is redirected to it or a page names it. */
function checkEndpoints(metadata: oidc.ServerMetadata, { issuer, usePar, providerKeys }: EidOptions): void {
  const pushed = usePar ? (['pushed_authorization_request_endpoint'] as const) : []
  const keys = providerKeys ? [] : (['jwks_uri'] as const)
  for (const name of [
    ...needed,
    ...keys,
    ...pushed,
    ...optional.filter((endpoint) => metadata[endpoint] !== undefined),
  ]) {
    const address = metadata[name]
    if (typeof address !== 'string' || !URL.canParse(address)) throw new EidAnswerError(`metadata: ${name} missing`)
    const { protocol } = new URL(address)
    if (protocol !== 'https:' && protocol !== new URL(issuer).protocol)
      throw new EidAnswerError(`metadata: ${name} is not https`)
  }
}
