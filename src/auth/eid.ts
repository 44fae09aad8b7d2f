import * as oidc from 'openid-client'
import {
  EidAnswerError,
  EidUnavailableError,
  InternalError,
  type PortalError,
  SignInCancelledError,
  SignInExpiredError,
} from '../errors.ts'
import type { Logger } from '../logger.ts'

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

/** The error and its causes, outermost first. openid-client also gives what is no error as a cause. */
const causesOf = (error: unknown): readonly Error[] =>
  error instanceof Error || error instanceof DOMException ? [error, ...causesOf(error.cause)] : []

/** True where the provider was not reached, was too slow, or hung up; the messages are those of Node's fetch. */
const noAnswer = (error: unknown): boolean =>
  causesOf(error).some(
    ({ name, message }) =>
      name === 'TimeoutError' ||
      name === 'AbortError' ||
      message === 'fetch failed' ||
      message === 'terminated',
  )

/** The status of an answer that openid-client refused; 0 where that was not the reason. */
const statusOf = (error: Error): number => {
  if (error instanceof oidc.ResponseBodyError || error instanceof oidc.WWWAuthenticateChallengeError)
    return error.status
  return error.cause instanceof Response ? error.cause.status : 0
}

const overloaded = (status: number): boolean => status >= 500 || status === 429

/**
 * Puts what openid-client throws into our own errors: what the user can mend (400), what the provider got wrong
 * (502), and that it is not there (503). What is not about the provider is our own fault.
 */
export const eidError = (error: unknown): PortalError => {
  // The words of a SyntaxError quote the answer, which may hold a token.
  const quotes = causesOf(error).some(({ name }) => name === 'SyntaxError')
  const options = quotes ? {} : { cause: error }
  if (error instanceof oidc.AuthorizationResponseError) {
    if (error.error === 'access_denied') return new SignInCancelledError(error.error, options)
    return error.error === 'server_error' || error.error === 'temporarily_unavailable'
      ? new EidUnavailableError(error.error, options)
      : new EidAnswerError(error.error, options)
  }
  if (noAnswer(error)) return new EidUnavailableError('no answer', options)
  if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant')
    return new SignInExpiredError(error.error, options)
  if (
    error instanceof oidc.ResponseBodyError ||
    error instanceof oidc.WWWAuthenticateChallengeError ||
    error instanceof oidc.ClientError
  ) {
    return overloaded(statusOf(error))
      ? new EidUnavailableError(error.code, options)
      : new EidAnswerError(error.code, options)
  }
  return new InternalError('sign-in', options)
}

/**
 * @param logger is told when the provider is found and when it is not
 * @param timeoutMs how long any one answer of the provider may take
 */
export const createEid = (options: EidOptions, logger: Logger, timeoutMs = 10_000): Eid => {
  const timeout = timeoutMs / 1000
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
          timeout,
          // Configuration lets http through on loopback only.
          execute: [
            oidc.enableNonRepudiationChecks,
            ...(issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
          ],
        },
      )
      logger.info({ issuer: options.issuer }, 'eID provider found')
      found = configuration
      return configuration
    } catch (error) {
      const reason = eidError(error)
      logger.warn({ issuer: options.issuer, err: reason }, 'eID provider not found')
      throw reason
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
