import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoPeople } from '../../demo/people.ts'
import { createDemoWorld } from '../../demo/world.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { rowsOf } from '../support/page-content.ts'
import { statementsAtOnce } from '../support/statements-at-once.ts'

/** Markup, both kinds of quotes, and the syntax of templates and translations. */
const awkward = `<script>alert("hei")</script>'"&amp;<%= 1 %>{{count}}$t(portal.name)<img src=x onerror=alert(1)>`

let test: TestPortal
let kari: Browser
let atOnce: () => readonly string[]
beforeAll(async () => {
  const world = createDemoWorld({ salesUnits: 30 })
  for (const row of world.pricePackages) row.body.name = awkward
  for (const row of world.templates) Object.assign(row.body, { name: awkward, lockedFields: [awkward] })
  for (const row of world.webhooks) Object.assign(row.body, { url: awkward, events: [awkward] })
  for (const { body } of world.merchants) {
    body.name = awkward
    body.businessAddress = { lines: [awkward], city: awkward, postCode: awkward, countryCode: awkward }
  }
  for (const { body } of world.salesUnits) {
    if (body.msn !== '150666') body.name = awkward
    Object.assign(body.configuration, { [awkward]: awkward, captureType: awkward })
    body.settlementBankAccount = { scheme: awkward, id: awkward }
  }
  for (const { body } of world.productOrders) {
    if (body.salesUnit) body.salesUnit.name = awkward
    if (body.status === 'ON_HOLD') Object.assign(body, { status: awkward.slice(0, 60), productOrderType: awkward })
  }
  for (const { organisation } of world.organisations) {
    if (organisation.kind === 'merchant') Object.assign(organisation, { name: awkward })
  }
  test = await startTestPortal({ world })
  kari = await test.signedIn('Kari Nordmann')
  atOnce = statementsAtOnce(test.portal.database.pages)
})
afterAll(async () => test.stop())

/** Elements that data could have injected, and inline or foreign content that the policy must not allow. */
function inlineOrForeignOf({ $ }: Visit): string[] {
  const elements = $(
    'style, script:not([type=module][src^="/assets/"]), img, iframe, object, embed, base, meta[http-equiv]',
  )
  const inline = $('*')
    .toArray()
    .flatMap((element) => ('attribs' in element ? Object.keys(element.attribs) : []))
    .filter((name) => name.startsWith('on') || name === 'style' || name === 'srcdoc')
  const elsewhere = $('[href], [src], [action]')
    .toArray()
    .map((element) => String($(element).attr('href') ?? $(element).attr('src') ?? $(element).attr('action')))
    .filter(
      (link) =>
        !/^(\/(?!\/)|[?#]|mailto:help@portal\.example\?|https:\/\/(feedback\.example|orders\.example\.com|developer\.vippsmobilepay\.com\/docs)\/)/.test(
          link,
        ),
    )
  return [...elements.toArray().map((element) => $.html(element)), $('script').text(), ...inline, ...elsewhere].filter(
    Boolean,
  )
}

/** The targets of a page within the portal: links, and GET forms submitted unchanged. */
function targetsOf({ $, url }: Visit): URL[] {
  return (
    [
      // One choice of each filter.
      ...$('form[method=get] select:not([name=sort], [name=size])')
        .toArray()
        .map((select) => {
          const choice = $(select).find('option:not([value=""])').attr('value') ?? ''
          const query = new URLSearchParams({ [String($(select).attr('name'))]: choice })
          return `${formPath($(select).closest('form').attr('action'))}?${query.toString()}`
        }),
      // Downloads have their own tests.
      ...$('a[href]:not([download])')
        .toArray()
        .map((link) => String($(link).attr('href'))),
      ...$('form[method=get]')
        .toArray()
        .map((form) => `${formPath($(form).attr('action'))}?${new URLSearchParams($(form).serialize()).toString()}`),
    ]
      .map((href) => new URL(href, url))
      // The link to the profile contains the current page, too.
      .map((target) => (target.pathname === '/profile' ? new URL(`/profile${target.hash}`, url) : target))
      // The links to another language and to sign-in contain the current page, so each page has its own.
      .filter(({ origin, pathname }) => origin === url.origin && !/^\/(language\/|login$)/.test(pathname))
      // A filtered list links to all combinations of filters: follow one step only.
      .filter(({ pathname, search }) => pathname !== url.pathname || url.search === '' || isOneStep(search))
  )
}

/** The path that a form submits to; '' for that of its page. */
function formPath(action = ''): string {
  return action.replace(/[?#].*/, '')
}

/** Whether the query has at most one parameter. */
function isOneStep(search: string): boolean {
  return new URLSearchParams(search).size <= 1
}

function assetsOf({ $, url }: Visit): string[] {
  return $('link[href], script[src]')
    .toArray()
    .map((element) => new URL(String($(element).attr('href') ?? $(element).attr('src')), url).pathname)
}

/** Parameters that links from one record to others set. */
const linked = new Set(['from', 'merchant', 'msn', 'package', 'since', 'until', 'before', 'after', 'group', 'month'])

const assets = new Set<string>()

/** Follows all links and returns the pages, broken links and content that the policy must not allow. */
async function crawl(name: string): Promise<{ pages: Map<string, Visit>; broken: string[] }> {
  const browser = await test.signedIn(name)
  const todo = [{ to: '/', from: 'the start', hash: '' }]
  const pages = new Map<string, Visit>()
  const followed = new Set<string>()
  const broken: string[] = []
  for (let next = todo.shift(); next; next = todo.shift()) {
    const { to, from, hash } = next
    const known = pages.get(to)
    const page = known ?? (await browser.open(to))
    pages.set(to, page)
    // A page that takes several connections at once lets one user take those of the others.
    broken.push(...atOnce().map((statement) => `${to} runs at once: ${statement}`))
    if (page.status !== 200) broken.push(`${from} leads to ${to}: ${page.status}`)
    if (hash && page.$('[id]').filter((_, element) => page.$(element).attr('id') === hash).length !== 1)
      broken.push(`${from} leads to ${to}#${hash}, which is not there`)
    if (known) continue
    const ids = page
      .$('[id]')
      .toArray()
      .map((element) => String(page.$(element).attr('id')))
    if (new Set(ids).size !== ids.length) broken.push(`${to} has an id twice: ${ids.toSorted().join(' ')}`)
    broken.push(...inlineOrForeignOf(page).map((item) => `${to} has ${item}`))
    for (const asset of assetsOf(page)) assets.add(asset)
    for (const { pathname, search, searchParams, hash: part } of targetsOf(page)) {
      // Records link to each other and to lists of theirs: follow each record, and each filter of a list, once.
      const isLinked = [...searchParams.keys()].some((parameter) => linked.has(parameter))
      const step = searchParams.has('from') ? pathname : `${pathname} ${[...searchParams.keys()].join()}`
      if (isLinked && !pages.has(pathname + search)) {
        if (followed.has(step)) continue
        followed.add(step)
      }
      const target = pathname + search
      if (part || !pages.has(target)) todo.push({ to: target, from: to, hash: decodeURIComponent(part.slice(1)) })
    }
  }
  return { pages, broken }
}

describe.each(demoPeople.map(({ name }) => name))('as %s', (name) => {
  it('every link works, and all data is shown as text', async () => {
    const { pages, broken } = await crawl(name)
    expect(broken).toEqual([])
    const least: Record<string, number> = { 'Kari Nordmann': 80, 'Åse Bjørk': 180, 'Liisa Korhonen': 8 }
    expect(pages.size).toBeGreaterThan(least[name] ?? 1)
    const withData = [...pages].filter(
      ([path, { $ }]) =>
        /\/(sales-units|price-packages|webhooks|details)$/.test(path) && $('main td, main dd').length > 0,
    )
    const without = withData.filter(([, { $ }]) => !$('main').text().includes(awkward))
    expect(without.map(([path]) => path)).toEqual([])
  })
})

it('the content security policy allows nothing inline or foreign', async () => {
  for (const path of ['/partners/12345', '/profile', '/no/such/page', '/partners/12345/sales-units?page=x']) {
    const { headers, $ } = await kari.open(path)
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("style-src 'self';")
    expect(policy).not.toMatch(/unsafe|\*|https?:(?!\/\/127\.0\.0\.1)/)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect($('script')).toHaveLength(1)
  }
})

it('a name that is markup is shown as text in list, detail, title and links', async () => {
  const name = '<script>alert("hei")</script> Kiosk'
  const base = '/partners/12345'
  const list = await kari.open(`${base}/sales-units?q=150666`)
  expect(inlineOrForeignOf(list)).toEqual([])
  expect(rowsOf(list)[0]?.[0]).toBe(name)
  const detail = await kari.open(`${base}/sales-units/150666`)
  expect(inlineOrForeignOf(detail)).toEqual([])
  expect(detail.$('h1').text()).toBe(name)
  expect(detail.$('title').text()).toContain(name)
  expect(detail.$('nav.crumbs [aria-current]').text()).toBe(name)
  const merchant = await kari.open(`${base}/merchants/business:NO:ORG/315660232`)
  expect(inlineOrForeignOf(merchant)).toEqual([])
  expect(merchant.$('section[aria-labelledby=units] tbody tr:first-child td:first-child a').text()).toBe(name)
})

it.each(['sales-units', 'product-orders', 'developers/webhooks'])(
  'a search in %s shows the query as text',
  async (list) => {
    for (const q of ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', awkward.slice(0, 100), "' \\"]) {
      const page = await kari.open(`/partners/12345/${list}?q=${encodeURIComponent(q)}`)
      expect(page.status).toBe(200)
      expect(inlineOrForeignOf(page)).toEqual([])
      expect(page.$('#q').val()).toBe(q)
      expect(page.$('main').text()).toContain(`“${q}”`)
    }
  },
)

it('every asset exists, and so do the imports of style sheets and scripts', async () => {
  expect(assets.size).toBeGreaterThan(3)
  const browser = test.browser()
  const todo = [...assets]
  const seen = new Set(todo)
  const sheets: string[] = []
  for (let path = todo.shift(); path !== undefined; path = todo.shift()) {
    const asset = await browser.open(path)
    expect([path, asset.status]).toEqual([path, 200])
    expect(asset.headers['cache-control']).toContain('immutable')
    if (!/\.(css|js)$/.test(path)) continue
    sheets.push(path)
    const asked = path.endsWith('.css') ? /(url\(|@import )\s*["']?([^"')\s]+)/g : /(^import |from )'([^']+)'/gm
    for (const [, , found] of asset.text.matchAll(asked)) {
      if (!found || found.startsWith('data:')) continue
      const target = new URL(found, asset.url)
      expect(target.origin).toBe(test.url)
      if (!seen.has(target.pathname)) todo.push(target.pathname)
      seen.add(target.pathname)
    }
  }
  expect(sheets.filter((path) => path.endsWith('.css'))).toHaveLength(1)
  expect(sheets.filter((path) => path.endsWith('.js')).length).toBeGreaterThan(4)
})
