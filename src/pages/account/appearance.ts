import type { RequestHandler } from 'express'
import { safeReturnPath } from '../../auth/safe-return-path.ts'
import { BadRequestError } from '../../errors.ts'
import { isAppearance, rememberAppearance } from '../../presentation/appearance.ts'
import type { PageDeps } from '../deps.ts'

/**
 * `POST /appearance`, form body `appearance` and `returnTo`: stores light, dark or automatic in a cookie and redirects back.
 * @throws BadRequestError
 */
export function chooseAppearance({ config }: Pick<PageDeps, 'config'>): RequestHandler {
  return (req, res) => {
    const { appearance, returnTo } = (req.body ?? {}) as { appearance?: unknown; returnTo?: unknown }
    if (!isAppearance(appearance)) throw new BadRequestError('which appearance?')
    rememberAppearance(res, appearance, config.https)
    res.redirect(303, safeReturnPath(returnTo))
  }
}
