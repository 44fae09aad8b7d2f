import type { ErrorRequestHandler } from 'express'
import { BadRequestError, EidAnswerError, PortalError, TooManyRequestsError } from '../errors.ts'
import type { Logger } from '../logger.ts'

const codes: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  429: 'too_many_requests',
}

/**
 * Errors for servers instead of people: `{"error": …}` as OAuth has it (RFC 6749, 5.2), and never the reason, which is
 * for the log.
 */
export function jsonErrors(logger: Logger): ErrorRequestHandler {
  return (thrown: unknown, _req, res, next) => {
    const status = statusOf(thrown)
    logger[status === 503 ? 'error' : 'warn']({ err: thrown }, 'a server’s request was refused')
    if (res.headersSent) return next(thrown)
    if (thrown instanceof TooManyRequestsError) res.set('Retry-After', String(thrown.retryAfterSeconds))
    return res.status(status).json({ error: codes[status] ?? 'temporarily_unavailable' })
  }
}

/** What a server has sent wrong is 400, its body's size and type included; all else is that we cannot just now. */
function statusOf(thrown: unknown): number {
  if (thrown instanceof BadRequestError || thrown instanceof EidAnswerError) return 400
  if (thrown instanceof TooManyRequestsError) return 429
  if (thrown instanceof PortalError) return 503
  const { status } = thrown as { status?: unknown }
  return typeof status === 'number' && status >= 400 && status < 500 ? 400 : 503
}
