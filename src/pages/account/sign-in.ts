import type { RequestHandler } from 'express'
import { safeReturnPath } from '../../auth/safe-return-path.ts'
import { lastSession } from '../../sessions/last-session.ts'
import type { PageDeps } from '../deps.ts'
import type { OrganisationSection } from '../mount.ts'
import { pageNameOf } from './way-back.ts'

/**
 * `GET /` and `GET /register`: the sign-in page. It says why the user is not signed in, and where the sign-in leads, as
 * far as this browser knows. A signed-in user is redirected to their page.
 */
export function showSignIn(
  { config }: Pick<PageDeps, 'config'>,
  sections: readonly OrganisationSection[],
): RequestHandler {
  return (req, res) => {
    const returnTo = safeReturnPath(req.query['returnTo'])
    if (req.user) return res.redirect(returnTo)
    const { language } = res.locals
    const { t } = language
    const last = lastSession(req)
    const isInterrupted = returnTo !== '/select'
    const page = pageNameOf(returnTo, sections, language)
    const why: Readonly<Record<string, string>> = {
      idle: t('signIn.idle', { count: Math.round(config.sessionLimits.idleMs / 60_000) }),
      ended: t('signIn.ended'),
    }
    return res.render('account/sign-in', {
      title: t('signIn.title'),
      loginHref: `/login?returnTo=${encodeURIComponent(returnTo)}`,
      // The session had ended before the user sent their form.
      form: req.query['form'] !== undefined,
      isSignedOut: last === 'signed-out' && !isInterrupted,
      why: (last && why[last]) ?? '',
      // A user who followed a link reads why this page is shown instead.
      goal: isInterrupted ? (page ? t('signIn.backTo', { page }) : t('signIn.interrupted')) : '',
    })
  }
}
