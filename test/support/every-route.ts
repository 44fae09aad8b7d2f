import type { PageDeps } from '../../src/pages/deps.ts'
import { siteMap } from '../../src/pages/routes.ts'

/** Has every property, can be called, and is always itself: enough to read the site map without a portal. */
export const anything: unknown = new Proxy(() => {}, { get: () => anything, apply: () => anything })

/** The site map of a portal that is not there. */
export const wholeSiteMap = siteMap(anything as PageDeps)

/** Every line of the site map, with the section that it stands in. `path` is the whole pattern. */
export function everyRoute() {
  return Object.entries(wholeSiteMap).flatMap(([section, { prefix, routes }]) =>
    routes.flatMap(({ path, get, post }) => {
      const pattern = path === '/' && prefix ? prefix : prefix + path
      const methods = [get && ('GET' as const), post && ('POST' as const)].filter((method) => method !== undefined)
      return methods.map((method) => ({ section, method, path: pattern }))
    }),
  )
}
