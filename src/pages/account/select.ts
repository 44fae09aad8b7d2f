import type { RequestHandler } from 'express'
import { organisationsOf } from '../../auth/access.ts'
import type { Organisation } from '../../organisation.ts'
import { signedIn } from '../acting-as.ts'
import type { PageDeps } from '../deps.ts'

/** Where an organisation's portal begins. */
export const homeOf = (organisation: Organisation): string =>
  organisation.kind === 'partner'
    ? `/partners/${organisation.id}`
    : `/merchants/${organisation.scheme}/${organisation.id}`

/**
 * `GET /select`: what the user may act as. Exactly one → straight to it, unless they came to look (`?all`);
 * none → how to get access.
 */
export const showSelect =
  ({ organisations }: Pick<PageDeps, 'organisations'>): RequestHandler =>
  (req, res) => {
    const user = signedIn(req)
    const { t } = res.locals.language
    const choices = organisationsOf(user, organisations).map((organisation) => ({
      organisation,
      href: homeOf(organisation),
    }))
    const [only, ...others] = choices
    if (!only) return res.render('account/no-access', { title: t('noAccess.title') })
    if (others.length === 0 && req.query['all'] === undefined) return res.redirect(only.href)
    return res.render('account/select', {
      title: t('select.title'),
      partners: choices.filter(({ organisation }) => organisation.kind === 'partner'),
      merchants: choices.filter(({ organisation }) => organisation.kind === 'merchant'),
    })
  }
