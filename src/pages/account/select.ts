import type { RequestHandler, Response } from 'express'
import { type Choice, organisationsOf } from '../../auth/access.ts'
import type { Organisation } from '../../domain/organisation.ts'
import { signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'

/** What a choice looks like: `until` is its last day in the language of the page, or undefined. */
export function choiceOf({ organisation, role, until }: Choice, res: Response) {
  return {
    organisation,
    href: homeOf(organisation),
    role,
    until: until === null ? undefined : res.locals.language.format.date(until),
  }
}

/** Where an organisation's portal begins. */
function homeOf(organisation: Organisation): string {
  return organisation.kind === 'partner'
    ? `/partners/${organisation.id}`
    : `/merchants/${organisation.scheme}/${organisation.id}`
}

/**
 * `GET /select`: what the user may act as. Exactly one → straight to it, unless they came to look (`?all`);
 * none → how to get access.
 */
export function showSelect({ organisations }: Pick<PageDeps, 'organisations'>): RequestHandler {
  return (req, res) => {
    const user = signedIn(req)
    const { t } = res.locals.language
    const choices = organisationsOf(user, organisations).map((choice) => choiceOf(choice, res))
    const [only, ...others] = choices
    if (!only) return res.render('account/no-access', { title: t('noAccess.title') })
    if (others.length === 0 && req.query['all'] === undefined) return res.redirect(only.href)
    return res.render('account/select', {
      title: t('select.title'),
      // Most have a grant for everything, and need not read so of each.
      sayRoles: false,
      partners: choices.filter(({ organisation }) => organisation.kind === 'partner'),
      merchants: choices.filter(({ organisation }) => organisation.kind === 'merchant'),
    })
  }
}
