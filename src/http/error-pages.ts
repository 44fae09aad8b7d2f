import type { ErrorRequestHandler } from 'express'
import type { Logger } from '../logger.ts'
import {
  BadRequestError,
  BeingReadError,
  EidAnswerError,
  FormExpiredError,
  GoneError,
  InternalError,
  NotFoundError,
  NotSharedError,
  PortalError,
  TooManyRequestsError,
  TooSlowError,
  UpstreamError,
} from '../errors.ts'

declare global {
  namespace Express {
    interface Locals {
      /** The path of the page that a form was on; absent when it is unknown. */
      formPage?: string | undefined
    }
  }
}

/** Answers 404 to unknown paths and wrong methods. */
export function notFound(): void {
  throw new NotFoundError('no route')
}

/**
 * Renders every thrown error as a page; the only place that does. The page shows the error's message and the request
 * id; the reason goes to the log.
 */
export function errorPages(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, req, res, next) => {
    const error = asPortalError(thrown)
    const level = error.status === 500 ? 'error' : error.status > 500 ? 'warn' : 'debug'
    logger[level]({ ...fieldsOf(error), page: error.page }, 'error page')
    if (res.headersSent) return next(thrown)
    if (error instanceof BeingReadError) res.set('Refresh', '2')
    const { t, format } = res.locals.language
    const waitMs = error instanceof TooManyRequestsError ? error.retryAfterSeconds * 1000 : 0
    if (waitMs > 0) res.set('Retry-After', String(waitMs / 1000))
    const removed = error instanceof GoneError ? error : undefined
    const key = removed?.key ?? (error instanceof NotSharedError ? error.key : '')
    const purpose = error instanceof UpstreamError ? t(`purposes.${error.failure.purpose}`) : ''
    return res.status(error.status).render('errors/error', {
      title: t(`errors.${error.page}.title`, { purpose, name: removed?.title }),
      text: t(`errors.${error.page}.text`, {
        purpose,
        wait: format.ahead(waitMs),
        at: removed && format.moment(removed.removedAt),
      }),
      key,
      // What a page that is missing was to show, for the page that explains why.
      asked: error.status === 404 || error.status === 410 ? key || lastSegment(req.path) : undefined,
      page: error.page,
      // A form is sent again from its page only.
      again: req.method === 'POST' && res.locals.formPage !== undefined ? res.locals.formPage : '',
      retry: (error.status >= 500 || waitMs > 0 || error instanceof TooSlowError) && req.method === 'GET',
      requestId: res.locals.requestId,
    })
  }
}

/** The last part of a path when it may be a number or an ID; else ''. */
function lastSegment(path: string): string {
  return /\/([\w-]*\d[\w-]*)\/?$/.exec(path)?.[1]?.slice(0, 100) ?? ''
}

/** The SQLSTATE of a statement that its timeout has ended. */
const queryCancelled = '57014'

/** For the log: a malformed request has a reason and no stack, which would only say where the portal refuses it. */
function fieldsOf(error: PortalError): Readonly<Record<string, unknown>> {
  return error instanceof BadRequestError ? { reason: error.message } : { err: error }
}

/** Errors of Express and its middleware carry a status; only 4xx, the client's errors, are used. */
function asPortalError(error: unknown): PortalError {
  if (error instanceof PortalError) return error
  const { status, code } = error as { status?: unknown; code?: unknown }
  if (code === queryCancelled) return new TooSlowError('statement timeout', { cause: error })
  if (code === 'EBADCSRFTOKEN') return new FormExpiredError('CSRF token', { cause: error })
  if (typeof status === 'number' && status >= 400 && status < 500) return new BadRequestError(malformation(error))
  return new InternalError('unexpected', { cause: error })
}

/** The type that body-parser gives an error, such as charset.unsupported; its message quotes the request. */
function malformation(error: unknown): string {
  const { type } = error as { type?: unknown }
  return typeof type === 'string' && /^[a-z.]{1,50}$/.test(type) ? type : 'malformed'
}

/** Plain text without a view or a stack, for when rendering the error page fails. */
export function lastResort(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, _req, res, next) => {
    logger.error({ err: thrown }, 'error page failed')
    if (res.headersSent) return next(thrown)
    return res.status(500).type('text').send(`Something went wrong on our side. Reference: ${res.locals.requestId}\n`)
  }
}

/** Errors for server-to-server routes: `{"error": …}` as in OAuth (RFC 6749, 5.2). The reason is only in the log. */
export function jsonErrors(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, _req, res, next) => {
    const error = asPortalError(thrown)
    const [status, code] = answerForServers(error)
    logger[status === 503 ? 'error' : 'warn'](fieldsOf(error), 'server request refused')
    if (res.headersSent) return next(thrown)
    if (error instanceof TooManyRequestsError) res.set('Retry-After', String(error.retryAfterSeconds))
    return res.status(status).json({ error: code })
  }
}

/** 400 for an invalid request, including size and type of its body; 503 for errors of our own. */
function answerForServers(error: PortalError): [status: number, code: string] {
  if (error instanceof BadRequestError || error instanceof EidAnswerError) return [400, 'invalid_request']
  if (error instanceof TooManyRequestsError) return [429, 'too_many_requests']
  return [503, 'temporarily_unavailable']
}
