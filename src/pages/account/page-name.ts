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
