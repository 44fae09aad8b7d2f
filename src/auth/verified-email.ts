import type { NextFunction, Request, Response } from 'express'
import { backHere } from './access.ts'

/**
 * Requires a verified e-mail address on every route below it, after `requireUser`. Others are redirected to the page
 * that verifies one, and back to the requested page from there. Routes that work without one come before it in app.ts,
 * so new routes are closed by default.
 */
export function requireVerifiedEmail(req: Request, res: Response, next: NextFunction): void {
  if (req.user?.email) return next()
  return res.redirect(`/verify-email${backHere(req)}`)
}
