import type { NextFunction, Request, Response } from 'express'
import { NotNavigationError } from '../errors.ts'

/**
 * Refuses requests that another page makes in the background (`<img src>`, frame, fetch) and prefetches, by what the
 * browser says of them (Fetch Metadata). Comes before rate limits and sessions, so that such a page cannot use up the
 * limits of an office. Browsers without Sec-Fetch-Dest pass.
 * @throws NotNavigationError
 */
export function navigationsOnly(req: Request, _res: Response, next: NextFunction): void {
  const dest = req.get('sec-fetch-dest')
  const isNavigation = dest === undefined || (dest === 'document' && req.get('sec-fetch-mode') === 'navigate')
  const purposes = [req.get('sec-purpose'), req.get('purpose'), req.get('x-moz')].join()
  if (!isNavigation || purposes.includes('prefetch')) throw new NotNavigationError('no navigation')
  next()
}
