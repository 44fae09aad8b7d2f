import type { Browser, Visit } from './browser.ts'
import { everyRoute } from './every-route.ts'
import type { TestPortal } from './portal.ts'

/** A page as somebody sees it, and the browser that is signed in as them. */
export type SomePage = {
  readonly name: string
  readonly browser: Browser
  readonly path: string
  readonly visit: Visit
}

const nothingMatches = `?q=${encodeURIComponent('zz no such thing zz')}`
const noSense = '?page=x'

/** Pages that no link leads to, or that look different to some. */
const besides: Readonly<Record<string, readonly string[]>> = {
  nobody: ['/register', '/?returnTo=%2Fselect', '/auth/callback?error=access_denied&state=x'],
  'Åse Bjørk': [
    '/select?all',
    '/session/ending',
    '/no/such/page',
    '/partners/12345/templates',
    '/partners/12345/no/such/page',
    '/partners/12345/search?q=fitness',
    '/partners/12345/search?q=zznothing',
    '/merchants/business:NO:ORG/311900456/search?q=fitness',
    '/partners/12345/sales-units/9999999',
    `/partners/12345/sales-units${noSense}`,
  ],
  'Liisa Korhonen': [],
  'Freja Østergård': [],
  'Nora Lie': ['/partners/12345/developers/webhooks'],
}

/**
 * Every page of the portal in every state that the demo people see it in: with much, with nothing, as a partner, as a
 * merchant, without access, not allowed, not there. Found by following links, so that a new page is here without
 * being named. `missing` are the lines of the site map that no link leads to,
 * files aside.
 */
export async function everyPage(test: TestPortal): Promise<{ pages: SomePage[]; missing: string[] }> {
  const all: SomePage[] = []
  for (const [name, paths] of Object.entries(besides)) {
    const browser = test.browser()
    if (name !== 'nobody') await browser.signIn(name)
    // Of who sees what others see as well, only what is different.
    if (name !== 'Nora Lie') all.push(...(await walk(name, browser)))
    for (const path of paths) all.push({ name, browser, path, visit: await browser.open(path) })
  }
  all.push(...(await unverified(test)))
  return { pages: all.filter(({ visit }) => isPage(visit)), missing: missingFrom(all) }
}

/** What every line of the site map that can be reached by links answers, once; and each list when nothing matches. */
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
    if (visit.$('#filter #q').length > 0) todo.push(pathname + nothingMatches)
    for (const target of linksOf(visit)) {
      const pattern = patternOf(target.pathname)
      if (pattern !== undefined && !found.has(pattern)) todo.push(target.pathname)
    }
  }
  return [...found.values()]
}

/** Who has not verified their e-mail address yet, with a code under way. */
async function unverified(test: TestPortal): Promise<SomePage[]> {
  const [name, browser] = ['Nils Aas', test.browser()]
  const first = await browser.signIn(name)
  const code = await browser.press('Send me a code')
  return [first, code].map((visit) => ({ name, browser, path: visit.url.pathname + visit.url.search, visit }))
}

function isPage({ headers }: Visit): boolean {
  return headers['content-type']?.startsWith('text/html') === true
}

/** The lines of the site map that none of these belongs to. */
function missingFrom(visits: readonly SomePage[]): string[] {
  const there = new Set(visits.map(({ visit }) => patternOf(visit.url.pathname)))
  return everyRoute()
    .filter(({ method, path }) => method === 'GET' && !isFile(path) && !there.has(path))
    .map(({ path }) => path)
}

/** The line of the site map that a path belongs to. */
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
