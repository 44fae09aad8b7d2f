import type { JWTVerifyGetKey } from 'jose'
import * as oidc from 'openid-client'
import type { EidKey } from '../config/oidc-keys.ts'
import { EidAnswerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type ClientAuth, clientAuthentication, decryptionKey } from './client-keys.ts'
import { eidError } from './eid-error.ts'
import { createProviderFetch } from './provider-fetch.ts'
import { createProviderKeys } from './provider-keys.ts'

/** Where the eID provider is and who the portal is there; from the configuration. */
export type EidOptions = {
  readonly issuer: string
  readonly clientId: string
  readonly clientAuth: ClientAuth
  readonly clientSecret: string | undefined
  /** The first signs; all are published. */
  readonly signingKeys: readonly EidKey[]
  readonly decryptionKeys: readonly EidKey[]
  /** Pushed authorization requests (RFC 9126). */
  readonly usePar: boolean
  /** Signed request objects (RFC 9101). */
  readonly useJar: boolean
  readonly scope: string
  readonly acrValues: string | undefined
  /** What ID tokens, logout tokens and signed userinfo may be signed with; never `none`. */
  readonly idTokenAlgs: readonly string[]
}

/** The eID provider. It may be down when the portal starts: each sign-in asks again until it has been found. */
export type Eid = {
  readonly options: EidOptions
  /**
   * The provider's configuration (OpenID Connect Discovery). It is kept, and read again in the background every day, or
   * after doubt(); the old one counts until there is a new one.
   * @throws EidUnavailableError, EidAnswerError where it has never been read
   */
  readonly configuration: () => Promise<oidc.Configuration>
  /** The provider's configuration if it has been read already. */
  readonly known: () => oidc.Configuration | undefined
  /** The origins that a sign-out may lead the browser to, as far as known, for the form-action of the CSP. */
  readonly signOutOrigins: () => readonly string[]
  /** Something at the provider has failed: its addresses may have changed. Read again soon, once a minute at most. */
  readonly doubt: () => void
  /** The provider's public keys at this `jwks_uri`. */
  readonly keys: (jwksUri: string) => JWTVerifyGetKey
}

/** How long things take, in ms; tests are in more of a hurry. */
export type EidTimes = {
  /** How long any one answer of the provider may take. */
  readonly timeoutMs?: number
  /** How old the provider's configuration may get. */
  readonly refreshMs?: number
  /** How long it is left alone at least, whether it could be read or not. */
  readonly restMs?: number
  /** How often the provider's keys are fetched at most. */
  readonly refetchKeysMs?: number
}

const needed = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const
const optional = ['userinfo_endpoint', 'end_session_endpoint'] as const

/**
 * @param logger is told when the provider is found and when it is not
 */
export function createEid(options: EidOptions, logger: Logger, times: EidTimes = {}): Eid {
  const { timeoutMs = 10_000, refreshMs = 86_400_000, restMs = 60_000, refetchKeysMs = 5000 } = times
  const fetch = createProviderFetch(timeoutMs)
  const authentication = clientAuthentication(options)
  // Configuration lets http through on loopback only.
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
      // The library's own helper is among them, as far as types go.
      const metadata: oidc.ServerMetadata = discovered.serverMetadata()
      checkEndpoints(metadata, options)
      const configuration = new oidc.Configuration(
        // Which algorithms count is ours to say, not the provider's.
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
      const reason = eidError(error)
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
    doubt: () => {
      dueAt = 0
    },
    keys: createProviderKeys({ fetch, timeoutMs, refetchMs: refetchKeysMs }),
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

/** Addresses must be there, be addresses, and be https, before somebody is sent there or a page names them. */
function checkEndpoints(metadata: oidc.ServerMetadata, { issuer, usePar }: EidOptions): void {
  const pushed = usePar ? (['pushed_authorization_request_endpoint'] as const) : []
  for (const name of [...needed, ...pushed, ...optional.filter((known) => metadata[known] !== undefined)]) {
    const address = metadata[name]
    if (typeof address !== 'string' || !URL.canParse(address)) throw new EidAnswerError(`no ${name} in the metadata`)
    const { protocol } = new URL(address)
    if (protocol !== 'https:' && protocol !== new URL(issuer).protocol)
      throw new EidAnswerError(`${name} without https`)
  }
}
