import { type RequestHandler, Router } from 'express'
import { csrfProtection } from '../http/csrf.ts'
import type { Organisation } from '../organisation.ts'

/** An entry of the side bar. Its words are `menu.<key>` in views/locales. */
export type MenuEntry = {
  readonly key: string
  /** Entries with a group stand below a heading of that name, `menu.<group>`. */
  readonly group?: string
  /** How many there are, if that is known without asking anybody. */
  readonly count?: (organisation: Organisation) => number | undefined
}

/** One line of the site map. A POST always needs the session's CSRF token: `mount` sees to it. */
export type Route = {
  readonly path: string
  readonly get?: RequestHandler
  readonly post?: RequestHandler
  readonly menu?: MenuEntry
}

/** Routes that live below one prefix and behind the same gate. */
export type Section = { readonly prefix: string; readonly routes: readonly Route[] }

/** An Express router of the section's routes, relative to its prefix. */
export const mount = ({ prefix, routes }: Section): Router => {
  const router = Router({ mergeParams: true })
  for (const { path, get, post } of routes) {
    const named: RequestHandler = (_req, res, next) => {
      res.locals.route = path === '/' && prefix ? prefix : `${prefix}${path}`
      next()
    }
    if (get) router.get(path, named, get)
    if (post) router.post(path, named, ...csrfProtection, post)
  }
  return router
}

/** The section's menu with counts and the place the user is at, for the side bar. */
export const withMenu = ({ routes }: Section): RequestHandler => {
  const entries = routes.flatMap(({ path, menu }) => (menu ? [{ path, ...menu }] : []))
  return (req, res, next) => {
    const { organisation } = res.locals
    const here = req.path
    res.locals['base'] = req.baseUrl
    res.locals['menu'] = entries.map(({ path, key, group, count }) => ({
      key,
      group,
      href: `${req.baseUrl}${path}`,
      count: organisation ? count?.(organisation) : undefined,
      current: here === path ? 'page' : path !== '/' && here.startsWith(`${path}/`) ? 'true' : undefined,
    }))
    next()
  }
}
