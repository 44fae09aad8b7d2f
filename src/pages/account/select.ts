import type { RequestHandler, Response } from 'express'
import { type Choice, organisationsOf } from '../../auth/access.ts'
import { organisationPath } from '../../domain/organisation.ts'
import { signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'

/** An organisation as the page lists it. `until`: the grant's last day in the page's language, or undefined. */
export function choiceOf({ organisation, role, until }: Choice, res: Response) {
  return {
    organisation,
    href: organisationPath(organisation),
    role,
    until: until === null ? undefined : res.locals.language.format.date(until),
  }
}

/**
 * `GET /select`: the organisations that the user may act as. With exactly one it redirects there, unless the query
 * has `?all`; with none it explains how to get access, or that the portal has no organisation yet.
 */
export function showSelect({ organisations }: Pick<PageDeps, 'organisations'>): RequestHandler {
  return (req, res) => {
    const user = signedIn(req)
    const { t } = res.locals.language
    const choices = organisationsOf(user, organisations).map((choice) => choiceOf(choice, res))
    const [only, ...others] = choices
    if (!only) {
      const isEmpty = organisations.current().size === 0
      return res.render('account/no-access', { title: t(isEmpty ? 'noAccess.noneTitle' : 'noAccess.title'), isEmpty })
    }
    if (others.length === 0 && req.query['all'] === undefined) return res.redirect(only.href)
    return res.render('account/select', {
      title: t('select.title'),
      // The page names roles only when some of the user's grants differ in it.
      sayRoles: false,
      partners: choices.filter(({ organisation }) => organisation.kind === 'partner'),
      merchants: choices.filter(({ organisation }) => organisation.kind === 'merchant'),
    })
  }
}
