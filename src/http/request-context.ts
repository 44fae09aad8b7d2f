import { randomUUID } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { pinoHttp } from 'pino-http'
import { type Logger, requestScope } from '../logger.ts'
import { organisationKey } from '../organisation.ts'

/** Probes come every few seconds and would drown what matters. */
const probes = new Set(['/healthz', '/readyz'])

/**
 * Gives every request an id (`req.id`, sent back as X-Request-Id) and writes one log line when its response
 * ends: request id, method, route pattern, status, milliseconds, user id, organisation. Never the URL itself, because
 * the query holds what people search for.
 */
export const requestContext = (logger: Logger): RequestHandler => {
  const log = pinoHttp<Request, Response>({
    logger,
    genReqId: () => randomUUID(),
    // The log line carries what customProps gives; pino-http's own req and res would carry URL and headers.
    serializers: { req: () => undefined, res: () => undefined, err: errorForLog },
    customProps: (req, res) => ({
      requestId: req.id,
      method: req.method,
      route: res.locals['route'] ?? 'none',
      status: res.statusCode,
      userId: req.user?.id,
      organisation: res.locals['organisation'] ? organisationKey(res.locals.organisation) : undefined,
    }),
    customAttributeKeys: { responseTime: 'ms' },
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
    customLogLevel: (req, res, error) => {
      if (error ?? res.statusCode >= 500) return 'error'
      return probes.has(req.path) ? 'debug' : 'info'
    },
  })
  return (req, res, next) => {
    log(req, res)
    const requestId = String(req.id)
    res.setHeader('X-Request-Id', requestId)
    requestScope.run({ requestId }, next)
  }
}

/** Type, message and stack of an error and of what caused it; not its other members, which may hold anything. */
const errorForLog = (error: unknown): unknown =>
  error instanceof Error
    ? { type: error.name, message: error.message, stack: error.stack, cause: error.cause && errorForLog(error.cause) }
    : undefined
