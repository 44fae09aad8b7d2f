import type { ErrorRequestHandler, Response } from 'express'
import { NoGrantError } from '../../errors.ts'
import { endedGrants } from '../../store/grants.ts'
import { signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'

type Deps = Pick<PageDeps, 'organisations' | 'database'>

/** Access that the user had: the name of the organisation, and a sentence that says whose access ended, and when. */
export type EndedAccess = { readonly organisation: string; readonly name: string; readonly text: string }

/** The ended access of the user to organisations that are still configured, the last one first. */
export async function endedAccess({ organisations, database }: Deps, res: Response): Promise<EndedAccess[]> {
  const { id, name: userName } = signedIn(res.req)
  const { t, format } = res.locals.language
  const ended = await endedGrants(database.kysely, id)
  return ended.flatMap(({ organisation: key, until, removedAt }) => {
    const name = organisations.current().get(key)?.name
    if (name === undefined) return []
    const user = userName ?? t('portal.noName')
    const text = removedAt
      ? t('noAccess.removed', { user, name, date: format.moment(removedAt) })
      : t('noAccess.until', { user, name, date: format.date(until) })
    return [{ organisation: key, name, text }]
  })
}

/** The page of a user without access: the steps to get it, and the access that the user had. */
export async function showNoAccess(deps: Deps, res: Response): Promise<void> {
  const { t } = res.locals.language
  const isEmpty = deps.organisations.current().size === 0
  const ended = await endedAccess(deps, res)
  const [only, ...others] = ended
  const title = isEmpty
    ? t('noAccess.noneTitle')
    : !only
      ? t('noAccess.title')
      : t(others.length === 0 ? 'noAccess.endedTitle' : 'noAccess.endedTitleMany', { name: only.name })
  res.render('account/no-access', { title, isEmpty, ended, hasOthers: false })
}

/**
 * Answers a page of an organisation that the user had access to: 403, whose access ended and when, and the steps to get
 * it again. Others get the 404 of `actAs`; the lookup is the same for all, so that its time reveals no organisation.
 */
export function explainEndedAccess(deps: Deps): ErrorRequestHandler {
  return async (error: unknown, req, res, next) => {
    if (!(error instanceof NoGrantError)) return next(error)
    const { t } = res.locals.language
    const ended = await endedAccess(deps, res)
    const here = ended.find(({ organisation }) => organisation === error.organisation)
    if (!here) return next(error)
    const title = t('noAccess.endedTitle', { name: here.name })
    const hasOthers = signedIn(req).grants.size > 0
    return res.status(403).render('account/no-access', { title, isEmpty: false, ended: [here], hasOthers })
  }
}

/** How many days before its end a grant is announced. */
const announcedDays = 14

/** The last day of a grant in the user's language when it is near; '' when it is not, or without an end. */
export function nearEnd(until: string | null, { locals: { language } }: Response): string {
  if (until === null) return ''
  return language.format.daysTo(new Date(until)) <= announcedDays ? language.format.date(until) : ''
}
