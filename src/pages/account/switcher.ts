import type { Request, RequestHandler, Response } from 'express'
import { organisationsOf } from '../../auth/access.ts'
import { type Organisation, organisationKey } from '../../domain/organisation.ts'
import { covers, type Role } from '../../domain/role.ts'
import { actingAs, signedIn } from '../request-state.ts'
import type { PageDeps } from '../deps.ts'
import type { OrganisationSection } from '../mount.ts'
import { choiceOf } from './select.ts'

declare module 'express-session' {
  interface SessionData {
    /** The keys of the organisations that the user acted as in this session, the last one first. */
    recentOrganisations?: readonly string[]
  }
}

type Choice = ReturnType<typeof choiceOf> & { readonly isCurrent: boolean }

declare global {
  namespace Express {
    interface Locals {
      /** The organisations that the user may switch to; null on pages outside both portals. Set by `withSwitcher`. */
      switcher: { readonly partners: Choice[]; readonly merchants: Choice[]; readonly total: number } | null
    }
  }
}

/** The most organisations that the switcher shows; the page behind its last link has all. */
const mostShown = 60

const mostRecent = 12

/**
 * Lists the organisations that the user may switch to, those of this session first, then by name. Each link leads to the page of the
 * menu that is open now, if the other organisation has it for the user's role, else to its Home.
 */
export function withSwitcher(
  { organisations }: Pick<PageDeps, 'organisations'>,
  sections: Readonly<Record<Organisation['kind'], OrganisationSection>>,
): RequestHandler {
  const rolesByKind = { partner: menuRoles(sections.partner), merchant: menuRoles(sections.merchant) }
  return (req, res, next) => {
    const current = organisationKey(actingAs(res))
    const recent = rememberUse(req, current)
    const rank = ({ organisation }: { organisation: Organisation }): number => {
      const at = recent.indexOf(organisationKey(organisation))
      return at === -1 ? mostRecent : at
    }
    const here = openMenuPath(res)
    const all = organisationsOf(signedIn(req), organisations, res.locals.language).toSorted((a, b) => rank(a) - rank(b))
    const choices = all.slice(0, mostShown).map((choice) => {
      const needed = here && rolesByKind[choice.organisation.kind].get(here)
      const shown = choiceOf(choice, res)
      const href = needed && covers(choice.role, needed) ? `${shown.href}${here}` : shown.href
      return { ...shown, href, isCurrent: organisationKey(choice.organisation) === current }
    })
    res.locals.switcher = {
      partners: choices.filter(({ organisation }) => organisation.kind === 'partner'),
      merchants: choices.filter(({ organisation }) => organisation.kind === 'merchant'),
      total: all.length,
    }
    next()
  }
}

/** The role that each page of the section's menu needs, by its path below the section. */
function menuRoles({ routes }: OrganisationSection): ReadonlyMap<string, Role> {
  return new Map(routes.flatMap(({ path, role, menu }) => (menu && path !== '/' ? [[path, role] as const] : [])))
}

/** The path below the section of the menu's page that is open, or that has the open page below it. */
function openMenuPath({ locals: { menu, base } }: Response): string | undefined {
  return menu.find(({ current }) => current)?.href.slice(base.length)
}

/** The organisations that the user acted as in this session, this one first. */
function rememberUse({ session }: Request, current: string): readonly string[] {
  const known = session.recentOrganisations ?? []
  if (known[0] === current) return known
  const recent = [current, ...known.filter((key) => key !== current)].slice(0, mostRecent)
  session.recentOrganisations = recent
  return recent
}
