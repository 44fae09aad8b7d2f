import express, { type RequestHandler, Router } from 'express'
import { csrfProtection } from '../http/csrf.ts'
import { jsonErrors } from '../http/json-errors.ts'
import type { Logger } from '../logger.ts'
import type { Lists, Looking } from '../sync/looking.ts'
import { actingAs, listsHere } from './acting-as.ts'

/** An entry of the side bar. Its words are `menu.<key>` in views/locales. */
export type MenuEntry = {
  readonly key: string
  /** Entries with a group stand below a heading of that name, `menu.<group>`. */
  readonly group?: string
  /** How many there are, as far as the lists that were read tell. */
  readonly count?: (lists: Lists) => number | undefined
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

/**
 * A router of routes that servers post to: they have no session and no CSRF token, and prove themselves by what they
 * send. Other methods are 405. `brake` comes before anything is read.
 */
export const mountForServers = ({ routes }: Section, brake: RequestHandler, logger: Logger): Router => {
  const router = Router()
  const form = express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 50 })
  for (const { path, post } of routes) {
    const named: RequestHandler = (_req, res, next) => {
      res.locals.route = path
      next()
    }
    router.all(path, named, brake)
    if (post) router.post(path, form, post)
    router.all(path, (_req, res) => {
      res.set('Allow', 'POST').status(405).json({ error: 'method_not_allowed' })
    })
  }
  router.use(jsonErrors(logger))
  return router
}

/** How fresh the organisation's lists are, for menu and pages: one query a request. */
export const withLists =
  (looking: Looking): RequestHandler =>
  async (_req, res, next) => {
    res.locals['lists'] = await looking.lists(actingAs(res))
    next()
  }

/** The section's menu with counts and the place the user is at, for the side bar. */
export const withMenu = ({ routes }: Section): RequestHandler => {
  const entries = routes.flatMap(({ path, menu }) => (menu ? [{ path, ...menu }] : []))
  return (req, res, next) => {
    const lists = listsHere(res)
    const here = req.path
    res.locals['base'] = req.baseUrl
    res.locals['menu'] = entries.map(({ path, key, group, count }) => ({
      key,
      group,
      href: `${req.baseUrl}${path}`,
      count: count?.(lists),
      current: here === path ? 'page' : path !== '/' && here.startsWith(`${path}/`) ? 'true' : undefined,
    }))
    next()
  }
}
