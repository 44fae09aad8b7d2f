import type { NextFunction, Request, Response } from 'express'
import { BadRequestError } from '../errors.ts'

/**
 * Requires a request target that is a path. `*`, authorities and absolute URLs (RFC 9112, 3.2) are for proxies, and
 * express-session leaves out requests without a path.
 * @throws BadRequestError without the target, which the log must not contain
 */
export function requirePath({ originalUrl }: Request, _res: Response, next: NextFunction): void {
  if (!originalUrl.startsWith('/')) throw new BadRequestError('request target is no path')
  next()
}

/**
 * Requires valid percent-encoding in the path. Express would answer a parameter that it cannot decode with an error
 * that quotes it.
 * @throws BadRequestError without the path, which the log must not contain
 */
export function requireDecodablePath({ originalUrl }: Request, _res: Response, next: NextFunction): void {
  try {
    decodeURIComponent(originalUrl.split('?', 1).join())
  } catch {
    throw new BadRequestError('path cannot be decoded')
  }
  next()
}
