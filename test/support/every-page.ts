import { createUnsubscribeTokens } from '../../src/notices/unsubscribe-token.ts'
import type { Browser, Visit } from './browser.ts'
import { everyRoute } from './every-route.ts'
import type { TestPortal } from './portal.ts'

/** A page, and the browser that has loaded it as the demo person `name`. */
export type SomePage = {
  readonly name: string
  readonly browser: Browser
  readonly path: string
  readonly visit: Visit
}

const noMatchQuery = `?q=${encodeURIComponent('zz no such thing zz')}`
const invalidQuery = '?page=x'

/** Paths without a link to them, or with another page for some users. */
const extraPaths: Readonly<Record<string, readonly string[]>> = {
  'signed out': ['/register', '/?returnTo=%2Fselect', '/auth/callback?error=access_denied&state=x'],
  'Åse Bjørk': [
    '/select?all',
    '/session/ending',
    '/no/such/page',
    '/partners/12345/templates',
    '/partners/12345/no/such/page',
    '/partners/12345/search?q=fitness',
    '/partners/12345/search?q=zznothing',
    '/merchants/business:NO:ORG/311900456/search?q=fitness',
    '/partners/12345/why?q=999999',
    '/partners/12345/why?q=NO+311+900+45',
    '/partners/12345/sales-units/9999999',
    `/partners/12345/sales-units${invalidQuery}`,
  ],
  'Liisa Korhonen': [],
  'Freja Østergård': [],
  'Nora Lie': ['/partners/12345/developers/webhooks'],
}

/**
 * Opens every page of the portal in all its states: full, empty, as a partner, as a merchant, without access, 403 and
 * 404. It follows links, so it finds new pages by itself. `missing` are the routes without a link, except files.
 */
export async function everyPage(test: TestPortal): Promise<{ pages: SomePage[]; missing: string[] }> {
  const all: SomePage[] = []
  for (const [name, paths] of Object.entries(extraPaths)) {
    const browser = test.browser()
    if (name !== 'signed out') await browser.signIn(name)
    // Nora sees the same pages as others, so only her extra paths are opened.
    if (name !== 'Nora Lie') all.push(...(await walk(name, browser)))
    for (const path of paths) all.push({ name, browser, path, visit: await browser.open(path) })
  }
  all.push(...(await unverified(test)), ...(await unsubscribing(test)))
  return { pages: all.filter(({ visit }) => isPage(visit)), missing: missingFrom(all) }
}

/** Opens every route that links lead to once, and each list with a filter that matches nothing. */
async function walk(name: string, browser: Browser): Promise<SomePage[]> {
  const todo = ['/']
  const seen = new Set<string>()
  const found = new Map<string, SomePage>()
  for (let path = todo.shift(); path !== undefined; path = todo.shift()) {
    if (seen.has(path)) continue
    seen.add(path)
    const visit = await browser.open(path)
    const { pathname, search } = visit.url
    const key = `${patternOf(pathname)}${search}`
    if (found.has(key)) continue
    found.set(key, { name, browser, path: pathname + search, visit })
    if (visit.$('#filter #q').length > 0) todo.push(pathname + noMatchQuery)
    for (const target of linksOf(visit)) {
      const pattern = patternOf(target.pathname)
      if (pattern !== undefined && !found.has(pattern)) todo.push(target.pathname)
    }
  }
  return [...found.values()]
}

/** The pages of a user without a verified e-mail address, before and after a code is sent. */
async function unverified(test: TestPortal): Promise<SomePage[]> {
  const [name, browser] = ['Nils Aas', test.browser()]
  const first = await browser.signIn(name)
  const code = await browser.press('Send me a code')
  return [first, code].map((visit) => ({ name, browser, path: visit.url.pathname + visit.url.search, visit }))
}

/** The pages that a link of a mail leads to, before and after its button is pressed. */
async function unsubscribing(test: TestPortal): Promise<SomePage[]> {
  const kari = await test.signedIn('Kari Nordmann')
  await kari.open('/profile')
  await kari.press('Save', { typed: { digest: 'daily' } })
  const [name, browser] = ['signed out', test.browser()]
  const tokens = createUnsubscribeTokens(test.config.sessionSecrets)
  const token = tokens.create({ userId: test.userId('Kari Nordmann'), organisation: 'partner/12345' })
  const first = await browser.open(`/unsubscribe/${token}`)
  const stopped = await browser.press('Stop emails')
  return [first, stopped].map((visit) => ({ name, browser, path: visit.url.pathname, visit }))
}

function isPage({ headers }: Visit): boolean {
  return headers['content-type']?.startsWith('text/html') === true
}

/** The routes of the site map that none of these visits matches. */
function missingFrom(visits: readonly SomePage[]): string[] {
  const there = new Set(visits.map(({ visit }) => patternOf(visit.url.pathname)))
  return everyRoute()
    .filter(({ method, path }) => method === 'GET' && !isFile(path) && !there.has(path))
    .map(({ path }) => path)
}

/** The route pattern that matches a path. */
function patternOf(path: string): string | undefined {
  return everyRoute().find(({ method, path: pattern }) => {
    const [parts, there] = [pattern.split('/'), path.split('/')]
    const isSame = (part: string, at: number) => part.startsWith(':') || part === there[at]
    return method === 'GET' && parts.length === there.length && parts.every(isSame)
  })?.path
}

function linksOf({ $, url }: Visit): URL[] {
  return $('a[href]')
    .toArray()
    .map((link) => new URL(String($(link).attr('href')), url))
    .filter(({ origin, pathname }) => origin === url.origin && !/^\/(language\/|login$)/.test(pathname))
}

function isFile(path: string): boolean {
  return /\.[a-z]+$/.test(path)
}
