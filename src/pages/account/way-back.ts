import type { Request, Response } from 'express'
import type { Choice } from '../../auth/access.ts'
import { safeReturnPath } from '../../auth/safe-return-path.ts'
import { organisationKey, organisationPath } from '../../domain/organisation.ts'
import type { Language } from '../../presentation/language.ts'
import type { OrganisationSection } from '../mount.ts'

/**
 * The name of the page that a local path leads to, as the menu has it, also for the pages below it; undefined for other
 * paths. It says nothing of the organisation in the path.
 */
export function pageNameOf(
  path: string,
  sections: readonly OrganisationSection[],
  { t }: Language,
): string | undefined {
  const { pathname } = new URL(path, 'http://portal.invalid')
  if (pathname === '/profile') return t('profile.title')
  const parts = pathname.split('/')
  for (const { prefix, routes } of sections) {
    const depth = prefix.split('/').length
    if (parts[1] !== prefix.split('/')[1] || parts.length < depth) continue
    const below = `/${parts.slice(depth).join('/')}`
    const found = routes.find((route) => route.menu && isAt(below, route.path))
    if (found?.menu) return t(`menu.${found.menu.key}`)
  }
  return undefined
}

function isAt(path: string, menuPath: string): boolean {
  return path === menuPath || (menuPath !== '/' && path.startsWith(`${menuPath}/`))
}

/** The path of the profile page that leads back to `returnTo`. @param query what else it says, such as `ended=2` */
export function profilePath(returnTo: unknown, query = ''): string {
  const back = safeReturnPath(returnTo)
  const way = back === '/select' ? '' : `returnTo=${encodeURIComponent(back)}`
  const parts = [query, way].filter((part) => part !== '')
  return `/profile${parts.length === 0 ? '' : `?${parts.join('&')}`}`
}

/** A link to the page that the user came from, else to the organisation of this session; undefined without both. */
export function wayBack(
  req: Request,
  res: Response,
  mine: readonly Choice[],
  sections: readonly OrganisationSection[],
): { readonly href: string; readonly page: string } | undefined {
  const href = safeReturnPath(req.query['returnTo'])
  const from = mine.find(({ organisation }) => isWithin(href, organisationPath(organisation)))
  const page = pageNameOf(href, sections, res.locals.language)
  if (from) return { href, page: [page, from.organisation.name].filter(Boolean).join(', ') }
  const last = mine.find(({ organisation }) => organisationKey(organisation) === req.session.recentOrganisations?.[0])
  return last && { href: organisationPath(last.organisation), page: last.organisation.name }
}

function isWithin(path: string, base: string): boolean {
  return path.startsWith(base) && /^([/?]|$)/.test(path.slice(base.length))
}
