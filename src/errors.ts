/**
 * The base of all errors that the portal renders as a page. `status` is decided here: an upstream 401, 403 or 404 never
 * becomes our own status by accident. `cause` is for the log, never for a page.
 */
export abstract class PortalError extends Error {
  abstract readonly status: number
  /** The key of the page's messages: `errors.<page>.title` and `errors.<page>.text` in views/locales. */
  abstract readonly page: string
  override get name(): string {
    return this.constructor.name
  }
}

/** Thrown for an unknown address, or one whose existence the user must not learn. */
export class NotFoundError extends PortalError {
  readonly status = 404
  readonly page = 'notFound'
}

/** Thrown when the user has no grant for the organisation in the URL; `organisation`: its organisationKey(). */
export class NoGrantError extends NotFoundError {
  readonly organisation: string
  constructor(organisation: string) {
    super('no grant')
    this.organisation = organisation
  }
}

/** Thrown when the user may act as the organisation, but lacks the role for this part of it. */
export class RoleNeededError extends PortalError {
  readonly status = 403
  readonly page = 'roleNeeded'
}

/** Thrown for an unexpected internal error. */
export class InternalError extends PortalError {
  readonly status = 500
  readonly page = 'internal'
}

/** Thrown for a malformed request. */
export class BadRequestError extends PortalError {
  readonly status = 400
  readonly page = 'badRequest'
}

/** Thrown for a page of a list behind its last reachable row. */
export class TooDeepError extends PortalError {
  readonly status = 400
  readonly page = 'tooDeep'
}

/** Thrown when the database ends a statement of a page because it takes too long, as a rare search can. */
export class TooSlowError extends PortalError {
  readonly status = 422
  readonly page = 'tooSlow'
}

/** Thrown when a sales unit, merchant or order is not shared with the organisation: upstream 404. */
export class NotSharedError extends PortalError {
  readonly status = 404
  readonly page: 'salesUnitNotShared' | 'merchantNotShared' | 'productOrderNotShared'
  readonly key: string
  /** @param page the key of its messages; @param key the requested MSN or id */
  constructor(
    page: 'salesUnitNotShared' | 'merchantNotShared' | 'productOrderNotShared',
    key: string,
    options?: ErrorOptions,
  ) {
    super(`${page}: ${key}`, options)
    this.page = page
    this.key = key
  }
}

/** Thrown while the requested data is read for the first time; the page reloads itself. */
export class BeingReadError extends PortalError {
  readonly status = 202
  readonly page = 'beingRead'
}

/** Thrown for a record that the API no longer shares: not active, or with another partner now. */
export class GoneError extends PortalError {
  readonly status = 410
  readonly page: 'salesUnitGone' | 'merchantGone' | 'productOrderGone'
  /** The name of the record, and its requested id. */
  readonly title: string
  readonly key: string
  readonly removedAt: Date
  constructor(
    page: GoneError['page'],
    { title, key, removedAt }: { readonly title: string; readonly key: string; readonly removedAt: Date },
  ) {
    super(`${page} ${key}`)
    this.page = page
    this.title = title
    this.key = key
    this.removedAt = removedAt
  }
}

/** The resource of an upstream call, as in the site map. */
export type Purpose =
  | 'token'
  | 'salesUnits'
  | 'salesUnit'
  | 'merchant'
  | 'productOrders'
  | 'productOrder'
  | 'pricePackages'
  | 'productOrderTemplates'
  | 'webhooks'

/** The details of a failed call to the Management API or the Webhooks API. Never credentials, tokens or bodies. */
export type UpstreamFailure = {
  readonly purpose: Purpose
  /** HTTP status of the last response; absent without one (network error, timeout). */
  readonly status?: number | undefined
  /** `title` of the RFC 7807 problem, cut to 200 characters. */
  readonly title?: string | undefined
  readonly traceId?: string | undefined
  /** What the API or its gateway says about it, or why there is no answer: redacted, cut to 200 characters. */
  readonly said?: string | undefined
}

/** The base of failed calls to the Management API or the Webhooks API. */
export abstract class UpstreamError extends PortalError {
  readonly failure: UpstreamFailure
  constructor(failure: UpstreamFailure, options?: ErrorOptions) {
    super(describe(failure), options)
    this.failure = failure
  }
}

function describe({ purpose, status, title, said, traceId }: UpstreamFailure): string {
  return [purpose, status ?? 'no answer', title, said, traceId && `traceId ${traceId}`].filter(Boolean).join(', ')
}

/** Thrown when the API does not answer in time, answers 423/5xx after all retries, or sends an invalid response. */
export class UpstreamUnavailableError extends UpstreamError {
  readonly status = 503
  readonly page: 'upstreamUnavailable' | 'upstreamBusy' = 'upstreamUnavailable'
}

/** Thrown when the API asks to wait: too many calls, a quota that is used up, or maintenance with Retry-After. */
export class UpstreamBusyError extends UpstreamUnavailableError {
  override readonly page = 'upstreamBusy'
}

/** Thrown when the API refuses the organisation's credentials (401 or 403, also from a token endpoint). */
export class UpstreamRefusedError extends UpstreamError {
  readonly status = 502
  readonly page = 'upstreamRefused'
}

/** Thrown when the API answers 404: absent, not active, or not shared with the caller. */
export class UpstreamNotFoundError extends UpstreamError {
  readonly status = 502
  readonly page = 'upstreamNotFound'
}

/** Thrown when the eID provider does not answer, or answers with a temporary error. */
export class EidUnavailableError extends PortalError {
  readonly status = 503
  readonly page = 'eidUnavailable'
}

/** Thrown when the eID provider's answer violates OpenID Connect, or fails verification. */
export class EidAnswerError extends PortalError {
  readonly status = 502
  readonly page = 'eidAnswer'
}

/** Thrown when the eID provider says that the portal's registration or settings do not fit, such as invalid_client. */
export class EidSetupError extends PortalError {
  readonly status = 502
  readonly page = 'eidSetup'
}

/** Thrown for a callback of a sign-in that this browser did not start, started too long ago, or has used already. */
export class SignInExpiredError extends PortalError {
  readonly status = 400
  readonly page = 'signInExpired'
}

/** Thrown for a callback without a pending sign-in when the user is signed in: another window has finished it. */
export class SignInDoneError extends PortalError {
  readonly status = 400
  readonly page = 'signInDone'
}

/** Thrown when the user cancels at the eID provider. */
export class SignInCancelledError extends PortalError {
  readonly status = 400
  readonly page = 'signInCancelled'
}

/** Thrown when the eID's assurance level is missing or not among OIDC_REQUIRED_ACR. */
export class AssuranceError extends PortalError {
  readonly status = 403
  readonly page = 'assurance'
}

/** Thrown when a route that begins or ends a sign-in is requested from inside another page. */
export class NotNavigationError extends PortalError {
  readonly status = 403
  readonly page = 'notNavigation'
}

/** Thrown when a form lacks this session's CSRF token: an old tab, or a forged form. */
export class FormExpiredError extends PortalError {
  readonly status = 403
  readonly page = 'formExpired'
}

/** Thrown when an address or a user exceeds a rate limit. */
export class TooManyRequestsError extends PortalError {
  readonly status = 429
  readonly page = 'tooManyRequests'
  readonly retryAfterSeconds: number
  /** @param limit the name of the limit, for the log */
  constructor(limit: string, retryAfterSeconds: number) {
    super(limit)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Thrown when the mail server does not answer, or with an error; the message is a code, never the server's text. */
export class MailUnavailableError extends PortalError {
  readonly status = 503
  readonly page = 'mailUnavailable'
}

/** Thrown when the database does not answer, or cannot be used; the message says why, without the URL. */
export class DatabaseUnavailableError extends PortalError {
  readonly status = 503
  readonly page = 'databaseUnavailable'
}

/** Thrown when the database refuses writes, as a standby does. */
export class ReadOnlyDatabaseError extends DatabaseUnavailableError {}
