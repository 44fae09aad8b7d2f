import { randomUUID } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { pinoHttp } from 'pino-http'
import { type Logger, requestScope } from '../logger.ts'

declare global {
  namespace Express {
    interface Locals {
      /** What the request's log line says beside HTTP, such as the organisation that the user acts as. */
      logFields?: Readonly<Record<string, string>>
    }
  }
}

/** Probes come every few seconds and would drown what matters. */
const probes = new Set(['/healthz', '/readyz'])

/**
 * Gives every request an id (sent back as X-Request-Id) and writes one log line when its response
 * ends: request id, method, route pattern, status, milliseconds, user id, organisation. Never the URL itself, because
 * the query holds what people search for.
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
    // All that the line may hold is named here, none of it a secret; to look for some costs more than the line.
    logger: logger.child({}, { redact: [] }),
    genReqId: (_req, res) => res.locals.requestId,
    // What pino-http would write by itself holds the URL and the headers.
    serializers: { req: () => undefined, res: () => undefined },
    customAttributeKeys: { responseTime: 'ms' },
    customSuccessObject: line,
    customErrorObject: (req, res, _error, value: { ms?: number }) => line(req, res, value),
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
    customLogLevel: (req, res, error) => {
      if (error ?? res.statusCode >= 500) return 'error'
      return probes.has(req.path) ? 'debug' : 'info'
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
