import * as oidc from 'openid-client'
import {
  EidAnswerError,
  EidUnavailableError,
  type PortalError,
  SignInCancelledError,
  SignInExpiredError,
} from '../errors.ts'
import type { Logger } from '../logger.ts'

/** How long any one answer of the provider may take, in seconds. */
const timeoutSeconds = 10

/** Where the eID provider is and who the portal is there; from the configuration. */
export type EidOptions = {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  readonly acrValues: string | undefined
}

/** The eID provider. It may be down when the portal starts: each sign-in asks again until it has been found. */
export type Eid = {
  readonly options: EidOptions
  /**
   * The provider's configuration (OpenID Connect Discovery), read once and kept.
   * @throws EidUnavailableError, EidAnswerError
   */
  readonly configuration: () => Promise<oidc.Configuration>
  /** The provider's configuration if it has been read already. */
  readonly known: () => oidc.Configuration | undefined
}

const statusOf = (error: unknown): number | undefined => {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Response ? cause.status : undefined
}

/**
 * Puts what openid-client throws into our own errors: what the user can mend (400), what the provider got wrong
 * (502), and that it is not there (503).
 */
export const eidError = (error: unknown): PortalError => {
  const options = { cause: error }
  if (error instanceof oidc.AuthorizationResponseError) {
    if (error.error === 'access_denied') return new SignInCancelledError('access_denied', options)
    return error.error === 'server_error' || error.error === 'temporarily_unavailable'
      ? new EidUnavailableError(error.error, options)
      : new EidAnswerError(error.error, options)
  }
  if (error instanceof oidc.ResponseBodyError) {
    if (error.error === 'invalid_grant') return new SignInExpiredError(error.error, options)
    return error.status >= 500
      ? new EidUnavailableError(error.error, options)
      : new EidAnswerError(error.error, options)
  }
  if (error instanceof oidc.ClientError) {
    const unavailable =
      error.code === 'OAUTH_TIMEOUT' || error.code === 'OAUTH_ABORT' || (statusOf(error) ?? 0) >= 500
    return unavailable
      ? new EidUnavailableError(error.code, options)
      : new EidAnswerError(error.code, options)
  }
  return new EidUnavailableError('no answer', options)
}

/** @param logger is told when the provider is found and when it is not */
export const createEid = (options: EidOptions, logger: Logger): Eid => {
  let found: oidc.Configuration | undefined
  let underWay: Promise<oidc.Configuration> | undefined

  const discover = async (): Promise<oidc.Configuration> => {
    const issuer = new URL(options.issuer)
    try {
      const configuration = await oidc.discovery(
        issuer,
        options.clientId,
        {},
        oidc.ClientSecretBasic(options.clientSecret),
        {
          timeout: timeoutSeconds,
          // Configuration lets http through on loopback only.
          execute: [
            oidc.enableNonRepudiationChecks,
            ...(issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
          ],
        },
      )
      configuration.timeout = timeoutSeconds
      logger.info({ issuer: options.issuer }, 'eID provider found')
      found = configuration
      return configuration
    } catch (error) {
      logger.warn({ issuer: options.issuer, reason: String(error) }, 'eID provider not found')
      throw eidError(error)
    }
  }

  return {
    options,
    known: () => found,
    configuration: async () => {
      if (found) return found
      underWay ??= discover().finally(() => {
        underWay = undefined
      })
      return underWay
    },
  }
}

/** The origins that a sign-out may lead the browser to, for the form-action of the CSP. */
export const signOutOrigins = (eid: Eid): readonly string[] => {
  const endSession = eid.known()?.serverMetadata().end_session_endpoint
  return [
    ...new Set([new URL(eid.options.issuer).origin, ...(endSession ? [new URL(endSession).origin] : [])]),
  ]
}
