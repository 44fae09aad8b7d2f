import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { demoPeople } from '../../src/demo/people.ts'
import { createDemoWorld } from '../../src/demo/world.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { rowsOf } from './reading.ts'

/** Markup, quotes of both kinds, a template's and a translation's own signs. */
const awkward = `<script>alert("hei")</script>'"&amp;<%= 1 %>{{count}}$t(portal.name)<img src=x onerror=alert(1)>`

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  const world = createDemoWorld({ salesUnits: 4 })
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
    if (body.settlementBankAccount) body.settlementBankAccount = { scheme: awkward, id: awkward }
  }
  for (const { body } of world.productOrders) {
    if (body.salesUnit) body.salesUnit.name = awkward
    if (body.status === 'ON_HOLD') Object.assign(body, { status: awkward, productOrderType: awkward })
  }
  for (const { organisation } of world.organisations) {
    if (organisation.kind === 'merchant') Object.assign(organisation, { name: awkward })
  }
  test = await startTestPortal({ world })
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

/** What a page has that data has made, or that stands inline and the policy would have to allow. */
const dirtOf = ({ $ }: Visit): string[] => {
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
    .filter((link) => !/^(\/(?!\/)|[?#]|https:\/\/feedback\.example)/.test(link))
  return [
    ...elements.toArray().map((element) => $.html(element)),
    $('script').text(),
    ...inline,
    ...elsewhere,
  ].filter(Boolean)
}

it('has a policy that allows nothing inline and nothing from elsewhere', async () => {
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

it('shows the name that is a script as text in list, detail, title and wherever it is linked', async () => {
  const name = '<script>alert("hei")</script> Kiosk'
  const base = '/partners/12345'
  const list = await kari.open(`${base}/sales-units?q=150666`)
  expect(dirtOf(list)).toEqual([])
  expect(rowsOf(list)[0]?.[0]).toBe(name)
  const detail = await kari.open(`${base}/sales-units/150666`)
  expect(dirtOf(detail)).toEqual([])
  expect(detail.$('h1').text()).toBe(name)
  expect(detail.$('title').text()).toContain(name)
  expect(detail.$('nav.crumbs [aria-current]').text()).toBe(name)
  const merchant = await kari.open(`${base}/merchants/business:NO:ORG/315660232`)
  expect(dirtOf(merchant)).toEqual([])
  expect(merchant.$('section li a').text()).toBe(name)
})

it.each(['sales-units', 'product-orders', 'developers/webhooks'])(
  'repeats what was searched in %s as text, letter by letter',
  async (list) => {
    for (const q of [
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      awkward.slice(0, 100),
      "' \\",
    ]) {
      const page = await kari.open(`/partners/12345/${list}?q=${encodeURIComponent(q)}`)
      expect(page.status).toBe(200)
      expect(dirtOf(page)).toEqual([])
      expect(page.$('#q').val()).toBe(q)
      expect(page.$('main').text().includes(`“${q}”`)).toBe(list !== 'product-orders')
    }
  },
)

it.each(demoPeople.map(({ name }) => name))(
  'shows %s nothing but text, whatever the API says',
  async (name) => {
    const browser = await test.signedIn(name)
    const seen = new Set<string>()
    const awkwardOn = new Map<string, boolean>()
    const todo = ['/select?all', '/profile', '/no/such/page']
    for (let path = todo.shift(); path !== undefined; path = todo.shift()) {
      if (seen.has(path) || seen.size > 60) continue
      seen.add(path)
      const page = await browser.open(path)
      expect([path, ...dirtOf(page)]).toEqual([path])
      const hrefs = page
        .$('a[href^="/"]')
        .toArray()
        .map((link) => new URL(String(page.$(link).attr('href')), page.url))
      todo.push(
        ...hrefs.filter(({ pathname }) => !pathname.startsWith('/language')).map(({ pathname }) => pathname),
      )
      if (
        /\/(sales-units|price-packages|webhooks|details)$/.test(path) &&
        page.$('main td, main dd').length > 0
      )
        awkwardOn.set(path, page.$('main').text().includes(awkward))
    }
    expect([...awkwardOn].filter(([, shown]) => !shown)).toEqual([])
  },
)

it('is escaped by every view: what is put in as it is comes from another view', () => {
  const views = new URL('../../views/', import.meta.url)
  const files = readdirSync(views, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ejs'),
  )
  expect(files.length).toBeGreaterThan(20)
  for (const file of files) {
    const raw = readFileSync(new URL(file, views), 'utf8').match(/<%-(?! include\().*?%>/g)
    expect([file, raw]).toEqual([file, null])
  }
})
