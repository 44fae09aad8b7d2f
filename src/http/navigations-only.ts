import type { NextFunction, Request, Response } from 'express'
import { NotNavigationError } from '../errors.ts'

/**
 * Refuses requests that another page makes in the background (`<img src>`, frame, fetch), prefetches, previews and HEAD
 * requests, by what the browser says of them (Fetch Metadata). Comes before rate limits and sessions, so that such a page cannot use up the
 * limits of an office. Browsers without Sec-Fetch-Dest pass.
 * @throws NotNavigationError
 */
export function navigationsOnly(req: Request, _res: Response, next: NextFunction): void {
  const dest = req.get('sec-fetch-dest')
  const isNavigation = dest === undefined || (dest === 'document' && req.get('sec-fetch-mode') === 'navigate')
  const purposes = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].map((name) => req.get(name)).join()
  const isAhead = /prefetch|prerender|preview/i.test(purposes) || req.method === 'HEAD'
  if (!isNavigation || isAhead) throw new NotNavigationError('no navigation')
  next()
}
