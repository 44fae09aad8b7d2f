import type { Request, Response } from 'express'
import { safeReturnPath } from '../../auth/safe-return-path.ts'

/** `GET /` and `GET /register`: the sign-in page. A signed-in user is redirected to their page. */
export function showSignIn(req: Request, res: Response): void {
  const returnTo = safeReturnPath(req.query['returnTo'])
  if (req.user) return res.redirect(returnTo)
  const { t } = res.locals.language
  return res.render('account/sign-in', {
    title: t('signIn.title'),
    loginHref: `/login?returnTo=${encodeURIComponent(returnTo)}`,
    // A user who followed a link reads why this page is shown instead.
    interrupted: returnTo !== '/select',
    // The session had ended before the user sent their form.
    form: req.query['form'] !== undefined,
  })
}
