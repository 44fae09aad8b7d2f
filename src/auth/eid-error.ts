import { errors as jose } from 'jose'
import * as oidc from 'openid-client'
import { networkProblem } from '../domain/network-problem.ts'
import {
  AssuranceError,
  EidAnswerError,
  EidSetupError,
  EidUnavailableError,
  InternalError,
  PortalError,
  SignInCancelledError,
  SignInExpiredError,
} from '../errors.ts'

/**
 * The errors by which a provider refuses the portal's registration or settings (RFC 6749, 4.1.2.1 and 5.2; OpenID
 * Connect Core 3.1.2.6). A new sign-in ends the same way, until the operator changes something.
 */
const setupErrors = new Set([
  'invalid_client',
  'invalid_request',
  'invalid_request_object',
  'invalid_request_uri',
  'invalid_scope',
  'insufficient_scope',
  'registration_not_supported',
  'request_not_supported',
  'request_uri_not_supported',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_response_type',
])

/** Text of a provider for the log: letters, digits and a few marks only, cut to `most` characters. */
export function wordOf(text: string, most = 60): string {
  return text.replaceAll(/[^\w.:/+=~-]/g, '').slice(0, most)
}

/**
 * Maps an error of openid-client to a PortalError: 400 for what the user can retry, 502 for an invalid answer of the
 * provider and for a registration that does not fit, 503 when the provider does not answer. Errors that do not concern the provider become InternalError.
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
      : refused(error.error, 0, options)
  }
  if (causesOf(error).some(({ cause }) => isOtherIssuer(cause))) return new EidAnswerError(otherSpelling, options)
  if (noAnswer(error)) return new EidUnavailableError(networkProblem(error) ?? 'no answer', options)
  if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant')
    return new SignInExpiredError(error.error, options)
  if (
    error instanceof oidc.ResponseBodyError ||
    error instanceof oidc.WWWAuthenticateChallengeError ||
    error instanceof oidc.ClientError
  ) {
    const status = statusOf(error)
    return overloaded(status)
      ? new EidUnavailableError(named(String(error.code), status), options)
      : refused(errorIn(error), status, options)
  }
  if (error instanceof jose.JOSEError) return new EidAnswerError(error.code, options)
  return new InternalError('sign-in', options)
}

/** The reason for a JWT whose `iss` is not the issuer in the metadata, but differs by the slash at its end. */
export const otherSpelling = "JWT: iss and the issuer in the provider's metadata differ by a slash at the end"

/** True when one has a slash at its end that the other lacks, a usual mistake of providers. */
export function isOtherSpelling(iss: unknown, issuer: unknown): boolean {
  return typeof iss === 'string' && typeof issuer === 'string' && (iss === `${issuer}/` || `${iss}/` === issuer)
}

/** The library's account of an ID token of another issuer. */
function isOtherIssuer(cause: unknown): boolean {
  const { claim, claims, expected } = (cause ?? {}) as {
    claim?: unknown
    claims?: { iss?: unknown }
    expected?: unknown
  }
  return claim === 'iss' && isOtherSpelling(claims?.iss, expected)
}

/** @param error the provider's `error`, or the library's code without one */
function refused(error: string, status: number, options: ErrorOptions): PortalError {
  const message = named(error, status)
  // Some providers refuse the client without an `error`.
  const isOfSetup = setupErrors.has(error) || status === 401 || status === 403
  return isOfSetup ? new EidSetupError(message, options) : new EidAnswerError(message, options)
}

function named(error: string, status: number): string {
  return status === 0 ? wordOf(error) : `${wordOf(error)}, status ${status}`
}

/**
 * The provider's `error`. A 401 with a challenge that names none refuses the client (RFC 6749, 5.2), unless it refuses
 * an access token (RFC 6750, 3).
 */
function errorIn(error: oidc.ResponseBodyError | oidc.WWWAuthenticateChallengeError | oidc.ClientError): string {
  if (error instanceof oidc.ResponseBodyError) return error.error
  if (!(error instanceof oidc.WWWAuthenticateChallengeError)) return String(error.code)
  const [challenge] = error.cause
  if (challenge?.parameters['error'] !== undefined) return challenge.parameters['error']
  return challenge?.scheme === 'bearer' ? error.code : 'invalid_client'
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
