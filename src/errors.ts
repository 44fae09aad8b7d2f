/**
 * Every error that the portal turns into a page. `status` is ours, decided here once: an upstream 401, 403 or
 * 404 never becomes our own status by accident. `cause` is for the log, never for a page.
 */
export abstract class PortalError extends Error {
  abstract readonly status: number
  /** Names the page's words: `errors.<page>.title` and `errors.<page>.text` in views/locales. */
  abstract readonly page: string
  override get name(): string {
    return this.constructor.name
  }
}

/** Thrown when nothing lives at an address, or when the user may not know whether it does. */
export class NotFoundError extends PortalError {
  readonly status = 404
  readonly page = 'notFound'
}

/** Thrown when the user may act as the organisation, but not see this part of it. */
export class RoleNeededError extends PortalError {
  readonly status = 403
  readonly page = 'roleNeeded'
}

/** Thrown when the fault is ours and nobody foresaw it. */
export class InternalError extends PortalError {
  readonly status = 500
  readonly page = 'internal'
}

/** Thrown when what the user typed or followed is malformed. */
export class BadRequestError extends PortalError {
  readonly status = 400
  readonly page = 'badRequest'
}

/** Thrown when a sales unit, merchant or order is not shared with the organisation: upstream 404. */
export class NotSharedError extends PortalError {
  readonly status = 404
  readonly page: 'salesUnitNotShared' | 'merchantNotShared' | 'productOrderNotShared'
  readonly key: string
  /** @param page which words explain it; @param key the MSN or id that was asked for */
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

/** Thrown when what somebody asks for has never been read and is being read: the page loads itself again. */
export class BeingReadError extends PortalError {
  readonly status = 202
  readonly page = 'beingRead'
}

/** Thrown for what the portal has known and the API does not share any more: not active, or with another partner now. */
export class GoneError extends PortalError {
  readonly status = 410
  readonly page: 'salesUnitGone' | 'merchantGone' | 'productOrderGone'
  /** What it is called, and the id that it was asked for by. */
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

/** What was being read when an upstream call failed. One word a resource, as in the site map. */
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

/** What is known of a failed call to the Management API or the Webhooks API. Never keys, tokens or bodies. */
export type UpstreamFailure = {
  readonly purpose: Purpose
  /** HTTP status of the last answer; absent when there was none (network error, timeout). */
  readonly status?: number | undefined
  /** `title` of the RFC 7807 problem, cut to 200 characters. */
  readonly title?: string | undefined
  readonly traceId?: string | undefined
}

export abstract class UpstreamError extends PortalError {
  readonly failure: UpstreamFailure
  constructor(failure: UpstreamFailure, options?: ErrorOptions) {
    super(describe(failure), options)
    this.failure = failure
  }
}

function describe({ purpose, status, title, traceId }: UpstreamFailure): string {
  return [purpose, status ?? 'no answer', title, traceId && `traceId ${traceId}`].filter(Boolean).join(', ')
}

/** Thrown when the API does not answer in time, answers 429/423/5xx after all retries, or answers nonsense. */
export class UpstreamUnavailableError extends UpstreamError {
  readonly status = 503
  readonly page = 'upstreamUnavailable'
}

/** Thrown when the API refuses the organisation's keys (401 or 403, also from a token endpoint). */
export class UpstreamRefusedError extends UpstreamError {
  readonly status = 502
  readonly page = 'upstreamRefused'
}

/** Thrown when the API answers 404: not there, not active, or not shared with the caller. */
export class UpstreamNotFoundError extends UpstreamError {
  readonly status = 502
  readonly page = 'upstreamNotFound'
}

/** Thrown when the eID provider does not answer, or answers that it cannot. */
export class EidUnavailableError extends PortalError {
  readonly status = 503
  readonly page = 'eidUnavailable'
}

/** Thrown when the eID provider's answer is not one that OpenID Connect allows, or does not prove who it is. */
export class EidAnswerError extends PortalError {
  readonly status = 502
  readonly page = 'eidAnswer'
}

/** Thrown when a sign-in comes back that this browser did not start, or started too long ago or twice. */
export class SignInExpiredError extends PortalError {
  readonly status = 400
  readonly page = 'signInExpired'
}

/** Thrown when a sign-in comes back that is not under way, to somebody who is signed in: the other window was first. */
export class SignInDoneError extends PortalError {
  readonly status = 400
  readonly page = 'signInDone'
}

/** Thrown when the user said no at the eID provider. */
export class SignInCancelledError extends PortalError {
  readonly status = 400
  readonly page = 'signInCancelled'
}

/** Thrown when the eID signed somebody in less surely than OIDC_ACR_VALUES asks for, or does not say how surely. */
export class AssuranceError extends PortalError {
  readonly status = 403
  readonly page = 'assurance'
}

/** Thrown when a form comes without this session's token: an old tab, or somebody else's form. */
export class FormExpiredError extends PortalError {
  readonly status = 403
  readonly page = 'formExpired'
}

/** Thrown when one address or one user asks for something too often. */
export class TooManyRequestsError extends PortalError {
  readonly status = 429
  readonly page = 'tooManyRequests'
  readonly retryAfterSeconds: number
  /** @param limit which limit it was, for the log */
  constructor(limit: string, retryAfterSeconds: number) {
    super(limit)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Thrown when the mail server does not answer, or not as it should; the message is a code, never its words. */
export class MailUnavailableError extends PortalError {
  readonly status = 503
  readonly page = 'mailUnavailable'
}

/** Thrown when the database does not answer, or cannot be used. */
export class DatabaseUnavailableError extends PortalError {
  readonly status = 503
  readonly page = 'databaseUnavailable'
}
