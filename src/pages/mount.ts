import express, { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express'
import { pageOfForm, requireRole } from '../auth/access.ts'
import { csrfProtection } from '../http/csrf.ts'
import { jsonErrors } from '../http/error-pages.ts'
import { navigationsOnly } from '../http/navigations-only.ts'
import type { Logger } from '../logger.ts'
import { covers, type Role } from '../domain/role.ts'
import type { AuditWriter } from '../store/audit.ts'
import type { FreshnessService, Lists } from '../sync/freshness.ts'
import { actingAs, listsHere, pathParameter } from './request-state.ts'

declare global {
  namespace Express {
    interface Locals {
      /** How fresh the organisation's lists are; set by `withLists`. */
      lists?: Lists
      /** The path of the organisation's section, such as /partners/12345. */
      base: string
      /** The side bar's entries that the user's role covers; set by `withMenu`. */
      menu: readonly ShownMenuEntry[]
    }
  }
}

/** A menu entry as the side bar shows it. */
type ShownMenuEntry = {
  readonly key: string
  readonly group: string | undefined
  readonly href: string
  readonly count: number | undefined
  readonly current: 'page' | 'true' | undefined
}

/** An entry of the side bar. Its message is `menu.<key>` in views/locales. */
export type MenuEntry = {
  readonly key: string
  /** The heading that the entry stands below, `menu.<group>`. */
  readonly group?: string
  /** The number of records, when the lists that have been read tell it. */
  readonly count?: (lists: Lists) => number | undefined
}

/** A route of the site map. `mount` requires the session's CSRF token for every POST. */
export type Route = {
  readonly path: string
  readonly get?: RequestHandler | RequestHandler[]
  readonly post?: RequestHandler
  readonly menu?: MenuEntry
  /** Begins or ends a sign-in, so other pages must not request it in the background. */
  readonly navigationOnly?: true
}

/** Routes below one prefix and behind the same gate. */
export type Section = { readonly prefix: string; readonly routes: readonly Route[] }

/** A route of an organisation's section, with the role that it requires. */
export type OrganisationRoute = Route & { readonly role: Role }

/** The routes for users acting as an organisation, which the prefix names. */
export type OrganisationSection = { readonly prefix: string; readonly routes: readonly OrganisationRoute[] }

/** An Express router of the section's routes, relative to its prefix. */
export function mount(section: Section): Router {
  return routerOf(section, () => [])
}

/** An Express router of the section's routes, relative to its prefix. `gate`: middleware before a route's handler. */
function routerOf<R extends Route>(
  { prefix, routes }: { readonly prefix: string; readonly routes: readonly R[] },
  gate: (route: R) => readonly RequestHandler[],
): Router {
  const router = Router({ mergeParams: true })
  for (const route of routes) {
    const { path, get, post } = route
    const named: RequestHandler = (_req, res, next) => {
      res.locals.route = patternOf(prefix, path)
      next()
    }
    if (get) router.get(path, named, ...gate(route), get)
    if (post) router.post(path, named, rememberForm, ...gate(route), ...csrfProtection, post)
  }
  return router
}

function rememberForm(req: Request, res: Response, next: NextFunction): void {
  const page = pageOfForm(req)
  if (page !== '/select') res.locals.formPage = page
  next()
}

function patternOf(prefix: string, path: string): string {
  return path === '/' && prefix ? prefix : `${prefix}${path}`
}

/**
 * The router of an organisation's section, with each route behind the role that the site map names.
 * @throws Error when the site map names no role
 */
export function mountOrganisation(section: OrganisationSection, audit: AuditWriter): Router {
  return routerOf(section, ({ role }) => [requireRole(role, audit)])
}

/** Stores the matching route and its parameters before access is decided, for log and audit. */
export function nameRoute({ prefix, routes }: OrganisationSection): Router {
  const router = Router({ mergeParams: true })
  for (const { path } of routes) {
    const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => String(name))
    router.all(path, (req, res, next) => {
      res.locals.route = patternOf(prefix, path)
      res.locals.routeParams = Object.fromEntries(names.map((name) => [name, pathParameter(req, name)]))
      next('router')
    })
  }
  return router
}

/** Refuses background requests of the routes that the site map marks, before anything counts them. */
export function guardNavigations(...sections: readonly Section[]): Router {
  const router = Router()
  for (const { path, navigationOnly } of sections.flatMap(({ routes }) => routes))
    if (navigationOnly) router.all(path, navigationsOnly)
  return router
}

/**
 * The router of server-to-server routes: no session and no CSRF token; the body authenticates the server. Other methods
 * get 405. `rateLimit` runs before the body is read.
 */
export function mountForServers({ routes }: Section, rateLimit: RequestHandler, logger: Logger): Router {
  const router = Router()
  const form = express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 50 })
  for (const { path, post } of routes) {
    const named: RequestHandler = (_req, res, next) => {
      res.locals.route = path
      next()
    }
    router.all(path, named, rateLimit)
    if (post) router.post(path, form, post)
    router.all(path, (_req, res) => {
      res.set('Allow', 'POST').status(405).json({ error: 'method_not_allowed' })
    })
  }
  router.use(jsonErrors(logger))
  return router
}

/** The router of links in mails: no session and no CSRF token; the handlers check the proof in the path. */
export function mountMailLinks({ prefix, routes }: Section): Router {
  const router = Router()
  for (const { path, get, post } of routes) {
    const named: RequestHandler = (_req, res, next) => {
      res.locals.route = patternOf(prefix, path)
      next()
    }
    if (get) router.get(path, named, get)
    if (post) router.post(path, named, post)
  }
  return router
}

/** Loads how fresh the organisation's lists are, for menu and pages: one database query a request. */
export function withLists(freshness: FreshnessService): RequestHandler {
  return async (_req, res, next) => {
    res.locals.lists = await freshness.lists(actingAs(res))
    next()
  }
}

/** The side bar's menu: entries that the user's role covers, with counts and the current page. */
export function withMenu({ prefix, routes }: OrganisationSection): RequestHandler {
  const entries = routes.flatMap(({ path, role, menu }) => (menu ? [{ path, role, ...menu }] : []))
  return (req, res, next) => {
    const lists = listsHere(res)
    const { route: here = '' } = res.locals
    const mine = entries.filter(({ role }) => res.locals.role && covers(res.locals.role, role))
    res.locals.base = req.baseUrl
    res.locals.menu = mine.map(({ path, key, group, count }) => ({
      key,
      group,
      href: `${req.baseUrl}${path}`,
      count: count?.(lists),
      current: currentOf(here, patternOf(prefix, path), path !== '/'),
    }))
    next()
  }
}

/** Whether the entry's route is the matching one, or above it. */
function currentOf(here: string, route: string, hasPagesBelow: boolean): ShownMenuEntry['current'] {
  if (here === route) return 'page'
  return hasPagesBelow && here.startsWith(`${route}/`) ? 'true' : undefined
}
