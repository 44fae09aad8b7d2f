import express, { type RequestHandler, Router } from 'express'
import { requireRole } from '../auth/access.ts'
import { csrfProtection } from '../http/csrf.ts'
import { jsonErrors } from '../http/error-pages.ts'
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
  readonly get?: RequestHandler | RequestHandler[]
  readonly post?: RequestHandler
  readonly menu?: MenuEntry
}

/** Routes that live below one prefix and behind the same gate. */
export type Section = { readonly prefix: string; readonly routes: readonly Route[] }

/** A line of the site map of an organisation's portal: it says which role may see it, without which nobody may. */
export type OrganisationRoute = Route & { readonly role: Role }

/** The part of the site map for who acts as an organisation, which the prefix names. */
export type OrganisationSection = { readonly prefix: string; readonly routes: readonly OrganisationRoute[] }

/** An Express router of the section's routes, relative to its prefix. */
export function mount(section: Section): Router {
  return routerOf(section, () => [])
}

/** An Express router of the section's routes, relative to its prefix. `gate`: what a route's requests go through first. */
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
    if (post) router.post(path, named, ...gate(route), ...csrfProtection, post)
  }
  return router
}

function patternOf(prefix: string, path: string): string {
  return path === '/' && prefix ? prefix : `${prefix}${path}`
}

/**
 * The same for who acts as an organisation, each route behind the role that the site map says.
 * @throws Error when it says none
 */
export function mountOrganisation(section: OrganisationSection, audit: AuditWriter): Router {
  return routerOf(section, ({ role }) => [requireRole(role, audit)])
}

/** Says which route will answer, and what its path names, before anybody has decided whether it may: for log and audit. */
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

/**
 * A router of routes that servers post to: they have no session and no CSRF token, and prove themselves by what they
 * send. Other methods are 405. `brake` comes before anything is read.
 */
export function mountForServers({ routes }: Section, brake: RequestHandler, logger: Logger): Router {
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
export function withLists(freshness: FreshnessService): RequestHandler {
  return async (_req, res, next) => {
    res.locals.lists = await freshness.lists(actingAs(res))
    next()
  }
}

/** The section's menu, as far as the user's role goes, with counts and the place the user is at, for the side bar. */
export function withMenu({ routes }: OrganisationSection): RequestHandler {
  const entries = routes.flatMap(({ path, role, menu }) => (menu ? [{ path, role, ...menu }] : []))
  return (req, res, next) => {
    const lists = listsHere(res)
    const here = req.path
    const mine = entries.filter(({ role }) => res.locals.role && covers(res.locals.role, role))
    res.locals.base = req.baseUrl
    res.locals.menu = mine.map(({ path, key, group, count }) => ({
      key,
      group,
      href: `${req.baseUrl}${path}`,
      count: count?.(lists),
      current: here === path ? 'page' : path !== '/' && here.startsWith(`${path}/`) ? 'true' : undefined,
    }))
    next()
  }
}
