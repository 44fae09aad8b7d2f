import { randomBytes } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { NextFunction, Request, Response } from 'express'

/** Thrown to answer a request with an RFC 7807 problem. */
export class Problem extends Error {
  readonly status: number
  /** @param detail may be logged by the caller, so it must not contain secrets */
  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

/** Sends a problem with the members of real responses, and a new trace id. */
export function sendProblem(res: Response, status: number, detail: string): void {
  res
    .status(status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `https://httpstatuses.io/${status}`,
        title: STATUS_CODES[status] ?? 'Error',
        status,
        detail,
        instance: res.req.path,
        traceId: randomBytes(16).toString('hex'),
        extraDetails: null,
      }),
    )
}

/** Also turns Express's own errors (unreadable body or path) into problems. */
export function answerProblem(error: unknown, _req: Request, res: Response, next: NextFunction): void {
  if (res.headersSent) {
    next(error)
    return
  }
  const status = statusOf(error)
  if (status !== undefined && error instanceof Error) sendProblem(res, status, error.message)
  else sendProblem(res, 500, 'Unexpected error.')
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined
}
