import { randomUUID } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { pinoHttp } from 'pino-http'
import { type Logger, requestScope } from '../logger.ts'

declare global {
  namespace Express {
    interface Locals {
      /** Extra fields for the log line of the request, such as the organisation that the user acts as. */
      logFields?: Readonly<Record<string, string>>
    }
  }
}

/** Probes come every few seconds and are logged at debug level. */
const probes = new Set(['/healthz', '/readyz'])

/**
 * Gives every request an id (sent back as X-Request-Id) and writes one log line when its response ends: request id,
 * method, route pattern, status, milliseconds, user id, organisation. Never the URL, because the query contains search
 * text.
 */
export function requestContext(logger: Logger): RequestHandler {
  const line = (req: Request, res: Response, { ms }: { ms?: number }) => ({
    requestId: res.locals.requestId,
    method: req.method,
    route: res.locals.route ?? 'none',
    status: res.statusCode,
    ms,
    userId: req.user?.id,
    ...res.locals.logFields,
  })
  const log = pinoHttp<Request, Response>({
    // Every field is listed here and none is secret; redaction costs more than writing the line.
    logger: logger.child({}, { redact: [] }),
    genReqId: (_req, res) => res.locals.requestId,
    // The default serializers of pino-http log URL and headers.
    serializers: { req: () => undefined, res: () => undefined },
    customAttributeKeys: { responseTime: 'ms' },
    customSuccessObject: line,
    customErrorObject: (req, res, _error, value: { ms?: number }) => line(req, res, value),
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
    customLogLevel: (_req, res, error) => {
      if (error ?? res.statusCode >= 500) return 'error'
      return probes.has(res.locals.route ?? '') ? 'debug' : 'info'
    },
  })
  return (req, res, next) => {
    const requestId = randomUUID()
    res.locals.requestId = requestId
    log(req, res)
    res.setHeader('X-Request-Id', requestId)
    requestScope.run({ requestId }, next)
  }
}
