import { errors as jose } from 'jose'
import * as oidc from 'openid-client'
import {
  AssuranceError,
  EidAnswerError,
  EidUnavailableError,
  InternalError,
  PortalError,
  SignInCancelledError,
  SignInExpiredError,
} from '../errors.ts'

/**
 * Maps an error of openid-client to a PortalError: 400 for what the user can retry, 502 for an invalid answer of the
 * provider, 503 when the provider does not answer. Errors that do not concern the provider become InternalError.
 */
export function eidError(error: unknown): PortalError {
  // The message of a SyntaxError quotes the response, which may contain a token.
  const quotes = causesOf(error).some(({ name }) => name === 'SyntaxError')
  const options = quotes ? {} : { cause: error }
  // A PortalError of ours that a library has wrapped.
  const own = causesOf(error).find((cause) => cause instanceof PortalError)
  if (own) return own
  if (error instanceof oidc.AuthorizationResponseError) {
    if (error.error === 'access_denied') return new SignInCancelledError(error.error, options)
    // OpenID Connect Core Error Code unmet_authentication_requirements 1.0
    if (error.error === 'unmet_authentication_requirements') return new AssuranceError(error.error, options)
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
  if (error instanceof jose.JOSEError) return new EidAnswerError(error.code, options)
  return new InternalError('sign-in', options)
}

/** The error and its causes, outermost first. openid-client may also use a value that is no Error as a cause. */
function causesOf(error: unknown): readonly Error[] {
  return error instanceof Error || error instanceof DOMException ? [error, ...causesOf(error.cause)] : []
}

/**
 * True when the provider was not reached, timed out or closed the connection; the messages are those of Node's fetch.
 */
function noAnswer(error: unknown): boolean {
  return causesOf(error).some(
    ({ name, message }) =>
      name === 'TimeoutError' || name === 'AbortError' || message === 'fetch failed' || message === 'terminated',
  )
}

function overloaded(status: number): boolean {
  return status >= 500 || status === 429
}

/** The status of a response that openid-client refused; 0 when the status was not the reason. */
function statusOf(error: Error): number {
  if (error instanceof oidc.ResponseBodyError || error instanceof oidc.WWWAuthenticateChallengeError)
    return error.status
  return error.cause instanceof Response ? error.cause.status : 0
}
