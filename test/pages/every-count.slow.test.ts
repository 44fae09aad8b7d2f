import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeDemoHistory } from '../../demo/history.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { createLogger } from '../../src/logger.ts'
import { openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrations.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { createTestSchema } from '../support/database.ts'
import { everyRoute } from '../support/every-route.ts'
import { wordsOf } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
beforeAll(async () => {
  const world = createDemoWorld({ salesUnits: 160 })
  const url = await createTestSchema()
  const database = openDatabase({ url, logger: createLogger('silent') })
  await migrate(database, createLogger('silent'))
  await writeDemoHistory(database, world)
  await database.close()
  test = await startTestPortal({ world, env: { DATABASE_URL: url } })
  // Some sales units are gone, so that their tab is there.
  for (const { body } of world.salesUnits.slice(-7)) remove(body.msn)
  remove('231777')
  await test.sync()
}, 240_000)
afterAll(async () => test.stop())

function remove(msn: string): void {
  const unit = test.world.salesUnits.find(({ body }) => body.msn === msn)
  if (unit) unit.active = false
}

/** A link with a count, and the page that has it. */
type Count = { readonly from: string; readonly text: string; readonly says: number; readonly to: URL }

const integer = String.raw`(\d{1,3}(?:,\d{3})*)`
/** "14 prefilled orders …", "+69 this week", "38"; "Rejected 14" of tabs and menu; "November 2026: 88" of charts. */
const counts = [new RegExp(String.raw`^\+?${integer}(?= |$)`), new RegExp(String.raw`(?:^|: )${integer}$`)]

/** The links of a page to lists of the organisation, whose text is a count; links of the pager are none. */
function countsOf(page: Visit, base: string, lists: ReadonlySet<string>): Count[] {
  const { $, url } = page
  return $('a[href]:not([download], [rel], .sizes a, .crumbs a)')
    .toArray()
    .flatMap((link) => {
      const to = new URL(String($(link).attr('href')), url)
      if (!to.pathname.startsWith(base) || !lists.has(to.pathname.slice(base.length))) return []
      const text = wordsOf($(link).find('title').length > 0 ? $(link).find('title') : $(link))
      const counted = wordsOf($(link).find('.count'))
      const [, says] = counts.map((count) => count.exec(counted || text)).find((found) => found !== null) ?? []
      return says === undefined
        ? []
        : [{ from: url.pathname + url.search, text, says: Number(says.replace(',', '')), to }]
    })
}

/** The number of rows that a list says it has, after it is checked with its rows where one page has them all. */
async function rowsBehind(browser: Browser, to: URL): Promise<number> {
  const size = new URLSearchParams([...to.searchParams, ['size', '100']])
  const page = await browser.open(`${to.pathname}?${size.toString()}`)
  const [, found = ''] = new RegExp(`^${integer} `).exec(wordsOf(page.$('#found'))) ?? []
  const total = Number(found.replace(',', ''))
  // The pages of Activity have groups of changes.
  const changes = page
    .$('.entry')
    .toArray()
    .map((entry) => Number(page.$(entry).attr('data-count')))
  // Price packages have a head for each market.
  const shown = page.$('main tbody tr:not(.market)').length + changes.reduce((sum, count) => sum + count, 0)
  const isPart = page.$('a[rel=next]').length > 0
  const expected = isPart && changes.length > 0 ? shown : Math.min(total, 100)
  expect([to.href, shown]).toEqual([to.href, changes.length > 0 && !isPart ? total : expected])
  return total
}

/** The pages of the organisation that links lead to, one for each route. */
async function walk(browser: Browser, base: string, patternOf: (path: string) => string | undefined): Promise<Visit[]> {
  const pages = new Map<string, Visit>()
  const todo = [base]
  for (let path = todo.shift(); path !== undefined; path = todo.shift()) {
    const pattern = patternOf(path)
    if (pattern === undefined || pages.has(pattern)) continue
    const page = await browser.open(path)
    pages.set(pattern, page)
    const links = page.$('a[href]:not([download])').toArray()
    todo.push(...links.map((link) => new URL(String(page.$(link).attr('href')), page.url).pathname))
  }
  return [...pages.values()]
}

it.each([
  ['Åse Bjørk', '/partners/23456', 40],
  ['Kari Nordmann', '/partners/12345', 30],
  ['Nora Lie', '/partners/12345', 30],
  ['Jonas Berg', '/merchants/business:NO:ORG/311900456', 1],
  ['Åse Bjørk', '/merchants/business:NO:ORG/311900456', 2],
])(
  'every count that %s sees as %s has as many rows behind it',
  async (name, base, least) => {
    const browser = await test.signedIn(name)
    const section = base.startsWith('/partners') ? 'partner' : 'merchant'
    const routes = everyRoute().filter((route) => route.section === section && route.method === 'GET')
    const [prefix = ''] = routes.map(({ path }) => path)
    const below = routes.map(({ path }) => path.slice(prefix.length))
    const lists = new Set(below.filter((path) => below.includes(`${path}.csv`)))
    const patternOf = (path: string): string | undefined => {
      if (path !== base && !path.startsWith(`${base}/`)) return undefined
      const parts = path.slice(base.length).split('/')
      return below.find((pattern) => {
        const wanted = pattern.split('/')
        return wanted.length === parts.length && wanted.every((part, at) => part.startsWith(':') || part === parts[at])
      })
    }
    const pages = await walk(browser, base, patternOf)
    const found = pages.flatMap((page) => countsOf(page, base, lists))
    const distinct = [...new Map(found.map((count) => [`${count.says} ${count.to.href}`, count])).values()]
    expect(distinct.length).toBeGreaterThanOrEqual(least)
    const wrong: string[] = []
    for (const { from, text, says, to } of distinct) {
      const rows = await rowsBehind(browser, to)
      if (rows !== says) wrong.push(`${from}: "${text}" leads to ${rows} rows at ${to.pathname}${to.search}`)
    }
    expect(wrong).toEqual([])
  },
  240_000,
)
