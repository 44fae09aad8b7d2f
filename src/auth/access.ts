import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { NotFoundError, RoleNeededError } from '../errors.ts'
import { truncatedAddress } from '../http/truncated-address.ts'
import { type Organisation, type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import type { Organisations } from '../domain/organisations.ts'
import { covers, type Role, roles, type UserGrant } from '../domain/role.ts'
import type { AuditWriter } from '../store/audit.ts'
import { safeReturnPath } from './safe-return-path.ts'

declare global {
  namespace Express {
    interface Locals {
      /** What the user may see of the organisation they act as; absent on pages outside both portals. */
      role?: Role
    }
  }
}

/** The query that leads back to the page that was asked for, for whoever is led elsewhere first; perhaps ''. */
export function backHere(req: Request): string {
  // Nobody is led back to an address that safeReturnPath refuses, and a header takes only so much.
  const wanted = req.method === 'GET' && safeReturnPath(req.originalUrl) === req.originalUrl
  return wanted ? `?returnTo=${encodeURIComponent(req.originalUrl)}` : ''
}

/**
 * The one gate: what comes after it needs a user. Nobody signed in is led to the sign-in page, and from there
 * back to where they wanted to go; who sent a form is told that it did nothing, and led back to its page.
 */
export function requireUser(req: Request, res: Response, next: NextFunction): void {
  if (req.user) return next()
  if (req.method === 'POST' && req.path !== '/logout')
    return res.redirect(303, `/?form&returnTo=${encodeURIComponent(pageOfForm(req))}`)
  return res.redirect(`/${backHere(req)}`)
}

const byName = new Intl.Collator('nb').compare

/** An organisation that a user may act as, and how. */
export type Choice = UserGrant & { readonly organisation: Organisation }

/** What the user may act as, by name. A grant for an organisation that is no longer configured shows nothing. */
export function organisationsOf(user: Express.User, organisations: Organisations): Choice[] {
  const known = organisations.current()
  return [...user.grants]
    .flatMap(([key, grant]) => {
      const organisation = known.get(key)
      return organisation ? [{ ...grant, organisation }] : []
    })
    .toSorted(
      (a, b) =>
        byName(a.organisation.name, b.organisation.name) ||
        byName(organisationKey(a.organisation), organisationKey(b.organisation)),
    )
}

/** What deciding needs: who there is, and where refusals are noted. */
export type AccessDeps = { readonly organisations: Organisations; readonly audit: AuditWriter }

/**
 * Loads the organisation in the URL into `res.locals.organisation`, and the user's role there, if this user may act as it
 * at this moment.
 * @throws NotFoundError for every other, whether it exists or not, so that nobody learns who else is here
 */
export function actAs(kind: Organisation['kind'], { organisations, audit }: AccessDeps): RequestHandler {
  return (req, res, next) => {
    const { partnerId, scheme, id } = req.params as Record<string, string>
    const reference: OrganisationReference =
      kind === 'partner' ? { kind, id: partnerId ?? '' } : { kind, scheme: scheme ?? '', id: id ?? '' }
    const key = organisationKey(reference)
    const organisation = organisations.current().get(key)
    const grant = req.user?.grants.get(key)
    if (!organisation || !grant) {
      audit.note({
        event: 'access refused',
        userId: req.user?.id,
        // One that is not here is something that somebody typed.
        organisation: organisation && key,
        address: truncatedAddress(req.ip),
        details: { reason: 'no grant', route: res.locals.route ?? 'none' },
      })
      throw new NotFoundError(`no grant for ${kind}`)
    }
    res.locals.organisation = organisation
    res.locals.role = grant.role
    res.locals.logFields = { organisation: key }
    next()
  }
}

/**
 * Lets nobody through whose role does not cover this one. Comes after `actAs`.
 * @param needed what the site map says of the route
 * @throws Error at start when the site map says nothing: who may see it is then nobody's guess
 * @throws RoleNeededError at a request: that the organisation and Developers exist is no secret to its user
 */
export function requireRole(needed: Role | undefined, audit: AuditWriter): RequestHandler {
  if (needed === undefined || !roles.includes(needed)) throw new Error('a route of the site map names no role')
  return (req, res, next) => {
    const { role, organisation, route = 'none' } = res.locals
    if (role !== undefined && covers(role, needed)) return next()
    audit.note({
      event: 'access refused',
      userId: req.user?.id,
      organisation: organisation ? organisationKey(organisation) : undefined,
      address: truncatedAddress(req.ip),
      details: { reason: 'role', needed, route },
    })
    throw new RoleNeededError(needed)
  }
}

/** The page that a form stood on, as far as the browser tells. */
function pageOfForm(req: Request): string {
  const referer = req.get('referer') ?? ''
  const { pathname, search } = URL.canParse(referer) ? new URL(referer) : { pathname: '', search: '' }
  return safeReturnPath(pathname + search)
}
