import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoPeople } from '../../src/demo/people.ts'
import { createDemoWorld } from '../../src/demo/world.ts'
import type { Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 30 }) })
})
afterAll(async () => test.stop())

/** Where a page leads on this portal: links, and forms that are sent by GET as they stand. */
const targetsOf = ({ $, url }: Visit): URL[] =>
  [
    ...$('a[href]')
      .toArray()
      .map((link) => String($(link).attr('href'))),
    ...$('form[method=get]')
      .toArray()
      .map((form) => `?${new URLSearchParams($(form).serialize()).toString()}`),
  ]
    .map((href) => new URL(href, url))
    .filter(({ origin, pathname }) => origin === url.origin && !pathname.startsWith('/language/'))

const assetsOf = ({ $, url }: Visit): string[] =>
  $('link[href], script[src]')
    .toArray()
    .map((element) => new URL(String($(element).attr('href') ?? $(element).attr('src')), url).pathname)

const assets = new Set<string>()

/** Visits everything that can be reached, and says what did not answer, or has not the part that was linked. */
const crawl = async (name: string): Promise<{ visited: number; broken: string[] }> => {
  const browser = await test.signedIn(name)
  const todo = [{ to: '/', from: 'the beginning', hash: '' }]
  const pages = new Map<string, Visit>()
  const broken: string[] = []
  for (let next = todo.shift(); next; next = todo.shift()) {
    const { to, from, hash } = next
    const known = pages.get(to)
    const page = known ?? (await browser.open(to))
    pages.set(to, page)
    if (page.status !== 200) broken.push(`${from} leads to ${to}: ${page.status}`)
    if (hash && page.$('[id]').filter((_, element) => page.$(element).attr('id') === hash).length !== 1)
      broken.push(`${from} leads to ${to}#${hash}, which is not there`)
    if (known) continue
    const ids = page
      .$('[id]')
      .toArray()
      .map((element) => String(page.$(element).attr('id')))
    if (new Set(ids).size !== ids.length) broken.push(`${to} has an id twice: ${ids.toSorted().join(' ')}`)
    for (const asset of assetsOf(page)) assets.add(asset)
    for (const { pathname, search, hash: part } of targetsOf(page)) {
      const target = pathname + search
      if (part || !pages.has(target))
        todo.push({ to: target, from: to, hash: decodeURIComponent(part.slice(1)) })
    }
  }
  return { visited: pages.size, broken }
}

describe.each(demoPeople.map(({ name }) => name))('as %s', (name) => {
  it('every link of every page that can be reached leads somewhere', async () => {
    const { visited, broken } = await crawl(name)
    expect(broken).toEqual([])
    const least: Record<string, number> = { 'Kari Nordmann': 80, 'Åse Bjørk': 180, 'Liisa Korhonen': 8 }
    expect(visited).toBeGreaterThan(least[name] ?? 1)
  })
})

it('every asset is there, and what style sheets ask for too', async () => {
  expect(assets.size).toBeGreaterThan(4)
  const browser = test.browser()
  const todo = [...assets]
  const seen = new Set(todo)
  const sheets: string[] = []
  for (let path = todo.shift(); path !== undefined; path = todo.shift()) {
    const asset = await browser.open(path)
    expect([path, asset.status]).toEqual([path, 200])
    expect(asset.headers['cache-control']).toContain('immutable')
    if (!path.endsWith('.css')) continue
    sheets.push(path)
    for (const [, , found] of asset.text.matchAll(/(url\(|@import )\s*["']?([^"')\s]+)/g)) {
      if (!found || found.startsWith('data:')) continue
      const target = new URL(found, asset.url)
      expect(target.origin).toBe(test.url)
      if (!seen.has(target.pathname)) todo.push(target.pathname)
      seen.add(target.pathname)
    }
  }
  expect(sheets.length).toBeGreaterThan(2)
})
