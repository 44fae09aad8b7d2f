import type { PageDeps } from '../../src/pages/deps.ts'
import { siteMap } from '../../src/pages/routes.ts'

/** A proxy that has every property and can be called, which is enough to build the site map without a portal. */
export const anything: unknown = new Proxy(() => {}, { get: () => anything, apply: () => anything })

/** The site map, built without a portal. */
export const wholeSiteMap = siteMap(anything as PageDeps)

/** Every route of the site map with its section and method. `path` is the whole pattern. */
export function everyRoute() {
  return Object.entries(wholeSiteMap).flatMap(([section, { prefix, routes }]) =>
    routes.flatMap(({ path, get, post }) => {
      const pattern = path === '/' && prefix ? prefix : prefix + path
      const methods = [get && ('GET' as const), post && ('POST' as const)].filter((method) => method !== undefined)
      return methods.map((method) => ({ section, method, path: pattern }))
    }),
  )
}
