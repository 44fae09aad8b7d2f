import type { NextFunction, Request, Response } from 'express'
import { backHere } from './access.ts'

/**
 * The gate behind `requireUser`: what comes after it needs a verified e-mail address. Everybody else is led to the page
 * that verifies one, and from there back to where they wanted to go. What they may see before stands before it in
 * app.ts, so nothing that is added elsewhere is open by accident.
 */
export function requireVerifiedEmail(req: Request, res: Response, next: NextFunction): void {
  if (req.user?.email) return next()
  return res.redirect(`/verify-email${backHere(req)}`)
}
