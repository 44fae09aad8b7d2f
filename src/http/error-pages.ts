import type { ErrorRequestHandler } from 'express'
import type { Logger } from '../logger.ts'
import {
  BadRequestError,
  BeingReadError,
  FormExpiredError,
  GoneError,
  InternalError,
  NotFoundError,
  NotSharedError,
  PortalError,
  TooManyRequestsError,
  UpstreamError,
} from '../errors.ts'

/** What no route has answered: unknown paths and wrong methods alike. */
export function notFound(): void {
  throw new NotFoundError('no route')
}

/**
 * Turns whatever was thrown into a page in words, once, here. The page shows the error's words and the request
 * id; the reason goes to the log.
 */
export function errorPages(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, req, res, next) => {
    const error = asPortalError(thrown)
    const level = error.status === 500 ? 'error' : error.status > 500 ? 'warn' : 'debug'
    logger[level]({ err: error, page: error.page }, 'error page')
    if (res.headersSent) return next(thrown)
    if (error instanceof BeingReadError) res.set('Refresh', '2')
    const { t, format } = res.locals.language
    const waitMs = error instanceof TooManyRequestsError ? error.retryAfterSeconds * 1000 : 0
    if (waitMs > 0) res.set('Retry-After', String(waitMs / 1000))
    const gone = error instanceof GoneError ? error : undefined
    const purpose = error instanceof UpstreamError ? t(`purposes.${error.failure.purpose}`) : ''
    return res.status(error.status).render('errors/error', {
      title: t(`errors.${error.page}.title`, { purpose, name: gone?.title }),
      text: t(`errors.${error.page}.text`, {
        purpose,
        wait: format.ahead(waitMs),
        at: gone && format.moment(gone.removedAt),
      }),
      key: gone?.key ?? (error instanceof NotSharedError ? error.key : ''),
      page: error.page,
      retry: (error.status >= 500 || waitMs > 0) && req.method === 'GET',
      requestId: res.locals.requestId,
    })
  }
}

/** Errors of Express and its middleware carry the status they want; only those of the sender's making count. */
function asPortalError(error: unknown): PortalError {
  if (error instanceof PortalError) return error
  const { status, code } = error as { status?: unknown; code?: unknown }
  if (code === 'EBADCSRFTOKEN') return new FormExpiredError('CSRF token', { cause: error })
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new BadRequestError('malformed', { cause: error })
  return new InternalError('unexpected', { cause: error })
}

/** Where even the page fails: words without a view, and never a stack. */
export function lastResort(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, _req, res, next) => {
    logger.error({ err: thrown }, 'error page failed')
    if (res.headersSent) return next(thrown)
    return res.status(500).type('text').send(`Something went wrong on our side. Reference: ${res.locals.requestId}\n`)
  }
}
