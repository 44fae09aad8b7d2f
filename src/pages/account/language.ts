import type { RequestHandler } from 'express'
import { safeReturnPath } from '../../auth/safe-return-path.ts'
import { NotFoundError } from '../../errors.ts'
import { rememberLanguage } from '../../presentation/language.ts'
import { pathParameter } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'

/** `GET /language/nb?returnTo=/local/path`: stores the language in a cookie and redirects back. */
export function showLanguage({ languages, config }: Pick<PageDeps, 'languages' | 'config'>): RequestHandler {
  return (req, res) => {
    const code = pathParameter(req, 'code')
    if (!languages.has(code)) throw new NotFoundError('no such language')
    rememberLanguage(res, code, config.https)
    const { returnTo } = req.query
    const back = safeReturnPath(returnTo)
    res.redirect(back === '/select' && !req.user ? signInPage(returnTo) : back)
  }
}

/** The sign-in page, which still leads to the page that it led to. */
function signInPage(returnTo: unknown): string {
  const query = typeof returnTo === 'string' ? returnTo.split('?')[1] : undefined
  const goal = safeReturnPath(new URLSearchParams(query).get('returnTo'))
  return goal === '/select' ? '/' : `/?returnTo=${encodeURIComponent(goal)}`
}
