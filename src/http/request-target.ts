import type { NextFunction, Request, Response } from 'express'
import { BadRequestError } from '../errors.ts'

/**
 * Requires a request target that is a path with valid percent-encoding. `*`, authorities and absolute URLs (RFC 9112,
 * 3.2) are for proxies, and Express would answer a parameter that it cannot decode with an error that quotes it.
 * @throws BadRequestError without the target, which the log must not contain
 */
export function requirePath({ originalUrl }: Request, _res: Response, next: NextFunction): void {
  if (!originalUrl.startsWith('/') || !isDecodable(originalUrl)) throw new BadRequestError('request target is no path')
  next()
}

function isDecodable(target: string): boolean {
  try {
    decodeURIComponent(target.split('?', 1).join())
    return true
  } catch {
    return false
  }
}
