import type { Request, RequestHandler } from 'express'
import { NotFoundError } from '../errors.ts'
import { localPath } from './local-path.ts'
import { type Organisation, type OrganisationReference, organisationKey } from '../organisation.ts'

/** The organisations the operator has configured, by organisationKey(). */
export type Organisations = ReadonlyMap<string, Organisation>

/** The page that a form stood on, as far as the browser tells. */
const pageOfForm = (req: Request): string => {
  const referer = req.get('referer') ?? ''
  const { pathname, search } = URL.canParse(referer) ? new URL(referer) : { pathname: '', search: '' }
  return localPath(pathname + search)
}

/**
 * The one gate: what comes after it needs a user. Nobody signed in is led to the sign-in page, and from there
 * back to where they wanted to go; who sent a form is told that it did nothing, and led back to its page.
 */
export const requireUser: RequestHandler = (req, res, next) => {
  if (req.user) return next()
  if (req.method === 'POST' && req.path !== '/logout')
    return res.redirect(303, `/?form&returnTo=${encodeURIComponent(pageOfForm(req))}`)
  // Nobody is led back to an address that localPath refuses, and a header takes only so much.
  const wanted = req.method === 'GET' && localPath(req.originalUrl) === req.originalUrl
  const returnTo = wanted ? `?returnTo=${encodeURIComponent(req.originalUrl)}` : ''
  return res.redirect(`/${returnTo}`)
}

const byName = new Intl.Collator('nb').compare

/** What the user may act as, by name. A grant for an organisation that is no longer configured shows nothing. */
export const organisationsOf = (user: Express.User, organisations: Organisations): Organisation[] =>
  user.grants
    .flatMap((key) => organisations.get(key) ?? [])
    .toSorted((a, b) => byName(a.name, b.name) || byName(organisationKey(a), organisationKey(b)))

/**
 * Loads the organisation in the URL into `res.locals.organisation`, if this user may act as it.
 * @throws NotFoundError for every other, whether it exists or not, so that nobody learns who else is here
 */
export const actAs =
  (kind: Organisation['kind'], organisations: Organisations): RequestHandler =>
  (req, res, next) => {
    const { partnerId, scheme, id } = req.params as Record<string, string>
    const reference: OrganisationReference =
      kind === 'partner' ? { kind, id: partnerId ?? '' } : { kind, scheme: scheme ?? '', id: id ?? '' }
    const key = organisationKey(reference)
    const organisation = organisations.get(key)
    if (!organisation || !req.user?.grants.includes(key)) throw new NotFoundError(`no grant for ${kind}`)
    res.locals.organisation = organisation
    next()
  }
