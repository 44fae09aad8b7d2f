import type { Request, Response } from 'express'
import { safeReturnPath } from '../../auth/safe-return-path.ts'

/** `GET /` and `GET /register`: the sign-in page; who is signed in already goes where they wanted to go. */
export function showSignIn(req: Request, res: Response): void {
  const returnTo = safeReturnPath(req.query['returnTo'])
  if (req.user) return res.redirect(returnTo)
  const { t } = res.locals.language
  return res.render('account/sign-in', {
    title: t('signIn.title'),
    loginHref: `/login?returnTo=${encodeURIComponent(returnTo)}`,
    // Somebody who followed a link is told why they see this page instead.
    interrupted: returnTo !== '/select',
    // Somebody whose session had ended before their form came.
    form: req.query['form'] !== undefined,
  })
}
