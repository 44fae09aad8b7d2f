import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { NoGrantError, RoleNeededError } from '../errors.ts'
import { truncatedAddress } from '../http/truncated-address.ts'
import { type Organisation, type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import type { Organisations } from '../domain/organisations.ts'
import { covers, type Role, roles, type UserGrant } from '../domain/role.ts'
import type { Language } from '../presentation/language.ts'
import { userNow } from '../sessions/session.ts'
import type { AuditWriter } from '../store/audit.ts'
import { safeReturnPath } from './safe-return-path.ts'

declare global {
  namespace Express {
    interface Locals {
      /** The user's role in the organisation they act as; absent on pages outside both portals. */
      role?: Role
    }
  }
}

/** The query `?returnTo=` that brings the browser back to the requested page after a redirect; '' when it cannot. */
export function backHere(req: Request): string {
  // Only GET URLs that safeReturnPath accepts: the others would be refused later, and header length is limited.
  const canReturn = req.method === 'GET' && safeReturnPath(req.originalUrl) === req.originalUrl
  return canReturn ? `?returnTo=${encodeURIComponent(req.originalUrl)}` : ''
}

/**
 * Requires a signed-in user on every route below it. Others are redirected to the sign-in page, and back to the
 * requested page from there.
 * A form post without a session is redirected to the sign-in page with `?form`, which says that nothing was submitted.
 */
export function requireUser(req: Request, res: Response, next: NextFunction): void {
  if (req.user) return next()
  if (req.method === 'POST' && !/^\/logout\/?$/i.test(req.path))
    return res.redirect(303, `/?form&returnTo=${encodeURIComponent(pageOfForm(req))}`)
  return res.redirect(`/${backHere(req)}`)
}

/**
 * Requires a verified e-mail address on every route below it, after `requireUser`. Others are redirected to the page
 * that verifies one, and back to the requested page from there. Routes that work without one come before it in app.ts,
 * so new routes are closed by default.
 */
export function requireVerifiedEmail(req: Request, res: Response, next: NextFunction): void {
  if (req.user?.email) return next()
  return res.redirect(`/verify-email${backHere(req)}`)
}

/** An organisation that a user may act as, with the terms of the grant. */
export type Choice = UserGrant & { readonly organisation: Organisation }

/**
 * The organisations that the user may act as, sorted by name as in the user's language. Grants for organisations that are
 * not configured are left out.
 */
export function organisationsOf(
  user: Express.User,
  organisations: Organisations,
  { format: { compareNames } }: Pick<Language, 'format'>,
): Choice[] {
  const configured = organisations.current()
  return [...user.grants]
    .flatMap(([key, grant]) => {
      const organisation = configured.get(key)
      return organisation ? [{ ...grant, organisation }] : []
    })
    .toSorted(
      (a, b) =>
        compareNames(a.organisation.name, b.organisation.name) ||
        compareNames(organisationKey(a.organisation), organisationKey(b.organisation)),
    )
}

/** Dependencies of authorisation: the configured organisations, and the audit log for refusals. */
export type AccessDeps = { readonly organisations: Organisations; readonly audit: AuditWriter }

/**
 * Loads the organisation in the URL into `res.locals.organisation`, and the user's role in it, if the user has a grant
 * for it now.
 * @throws NoGrantError, which is a 404, for any other organisation, existing or not, so that the answer does not reveal
 * which ones exist
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
      audit.noteRefusal({
        event: 'access refused',
        userId: req.user?.id,
        // An unknown organisation is text that the user typed, so the audit log does not keep it.
        organisation: organisation && key,
        address: truncatedAddress(req.ip),
        details: { reason: 'no grant', route: res.locals.route ?? 'none' },
      })
      throw new NoGrantError(key)
    }
    res.locals.organisation = organisation
    res.locals.role = grant.role
    res.locals.logFields = { organisation: key }
    next()
  }
}

/**
 * Requires a role that covers `needed`. Comes after `actAs`.
 * @param needed the role that the site map gives for the route
 * @throws Error at start when the site map names no role for a route
 * @throws RoleNeededError at a request; the user may know that the organisation and Developers exist
 */
export function requireRole(needed: Role | undefined, audit: AuditWriter): RequestHandler {
  if (needed === undefined || !roles.includes(needed)) throw new Error('invalid site map: a route has no role')
  return (req, res, next) => {
    const { role, organisation, route = 'none' } = res.locals
    if (role !== undefined && covers(role, needed)) return next()
    audit.noteRefusal({
      event: 'access refused',
      userId: req.user?.id,
      organisation: organisation ? organisationKey(organisation) : undefined,
      address: truncatedAddress(req.ip),
      details: { reason: 'role', needed, route },
    })
    throw new RoleNeededError(needed)
  }
}

/**
 * Whether the database still allows what `actAs` and `requireRole` have allowed: the session has not ended, and its user
 * has a grant with a role that covers `needed`. For responses that take long.
 */
export async function isStillAllowed(
  req: Request,
  res: Response,
  needed: Role,
  organisations: Organisations,
): Promise<boolean> {
  const { organisation } = res.locals
  if (!organisation || !organisations.current().has(organisationKey(organisation))) return false
  const user = await userNow(req)
  const grant = user?.grants.get(organisationKey(organisation))
  return grant !== undefined && covers(grant.role, needed)
}

/** The path of the page that the form was on, from the Referer header; `/select` without one. */
export function pageOfForm(req: Request): string {
  const referer = req.get('referer') ?? ''
  const { pathname, search } = URL.canParse(referer) ? new URL(referer) : { pathname: '', search: '' }
  return safeReturnPath(pathname + search)
}
