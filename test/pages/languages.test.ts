import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import danish from '../../views/locales/da.json' with { type: 'json' }
import english from '../../views/locales/en.json' with { type: 'json' }
import finnish from '../../views/locales/fi.json' with { type: 'json' }
import norwegian from '../../views/locales/nb.json' with { type: 'json' }
import swedish from '../../views/locales/sv.json' with { type: 'json' }
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { factsOf } from '../support/page-content.ts'

let test: TestPortal
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1200 }) })
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

const wordsOf: Readonly<Record<string, typeof english>> = {
  da: danish,
  en: english,
  fi: finnish,
  nb: norwegian,
  sv: swedish,
}

const nb = { headers: { 'Accept-Language': 'nb-NO,nb;q=0.9' } }

describe('the language of a page', () => {
  it.each([
    ['', 'en'],
    ['nb', 'nb'],
    ['nb-NO,nb;q=0.9,en;q=0.8', 'nb'],
    ['no', 'nb'],
    ['nn-NO,nn;q=0.9', 'nb'],
    ['en-GB,nb;q=0.5', 'en'],
    ['de-DE,de;q=0.9', 'en'],
    ['de,nb;q=0.5', 'nb'],
    ['da-DK,da;q=0.9', 'da'],
    ['sv-FI,sv;q=0.9,fi;q=0.8', 'sv'],
    ['fi', 'fi'],
    ['*', 'en'],
    [';;;q=x,,', 'en'],
  ])('follows the Accept-Language header: "%s" gives %s', async (asked, code) => {
    const page = await test.browser().open('/', { headers: { 'Accept-Language': asked } })
    expect(page.$('html').attr('lang')).toBe(code)
    expect(page.$('main a.ds-button').text()).toBe(wordsOf[code]?.signIn.button)
  })

  it('is the chosen one on every page, regardless of the Accept-Language header', async () => {
    const browser = await test.signedIn('Åse Bjørk')
    await browser.open('/partners/12345/product-orders?status=COMPLETED&q=e')
    const page = await browser.follow('Norsk')
    expect(page.url.pathname + page.url.search).toBe('/partners/12345/product-orders?status=COMPLETED&q=e')
    expect(page.$('html').attr('lang')).toBe('nb')
    expect(page.$('h1').text()).toBe('Produktbestillinger')
    expect((await browser.open('/profile')).$('html').attr('lang')).toBe('nb')
    await browser.open('/profile', { headers: { 'Accept-Language': 'en' } })
    expect((await browser.follow('English')).$('html').attr('lang')).toBe('en')
    expect((await browser.open('/profile', nb)).$('html').attr('lang')).toBe('en')
  })

  it('is stored in a cookie that holds nothing else', async () => {
    const { headers } = await test.browser().open('/language/nb?returnTo=/', { follow: false })
    expect(String(headers['set-cookie'])).toMatch(
      /^language=nb; Max-Age=31536000; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    )
  })

  it('ignores an unsafe return path when it is changed', async () => {
    for (const returnTo of ['https://evil.example', '//evil.example', '/\\evil.example', 'evil', ''] as const) {
      const path = `/language/en?returnTo=${encodeURIComponent(returnTo)}`
      const page = await test.browser().open(path, { follow: false })
      expect([page.status, page.headers['location']]).toEqual([302, '/'])
    }
  })

  it('must be a supported one', async () => {
    for (const code of ['xx', 'EN', '..%2Fen', '__proto__'])
      expect((await åse.open(`/language/${code}`)).status).toBe(404)
  })

  it('applies to error pages too', async () => {
    const page = await åse.open('/partners/12345/sales-units/999999', nb)
    expect(page.$('h1').text()).toBe(norwegian.errors.salesUnitNotShared.title)
    expect(page.$('html').attr('lang')).toBe('nb')
  })

  it('is named in its own language in the menu, with lang and hreflang', async () => {
    const { $ } = await åse.open('/profile')
    const links = $('.languages a').toArray()
    expect(links.map((link) => [$(link).attr('lang'), $(link).attr('hreflang'), $(link).text()])).toEqual([
      ['da', 'da', 'Dansk'],
      ['en', 'en', 'English'],
      ['fi', 'fi', 'Suomi'],
      ['nb', 'nb', 'Norsk'],
      ['sv', 'sv', 'Svenska'],
    ])
    expect($('.languages a[aria-current]').text()).toBe('English')
    expect($('.languages summary').text()).toBe('Language English')
  })
})

describe('numbers and dates', () => {
  it('are formatted for the language', async () => {
    expect((await åse.open('/partners/23456')).words).toContain('Sales units 1,200')
    const norsk = await åse.open('/partners/23456', nb)
    expect(norsk.words).toContain(`Salgssteder ${new Intl.NumberFormat('nb-NO').format(1200).replace(/\s/, ' ')}`)
    const path = '/partners/12345/merchants/business:NO:ORG/311900456'
    expect(factsOf(await åse.open(path))['Merchant since']).toBe('2 Mar 2021')
    const facts = factsOf(await åse.open(path, nb))
    expect(Object.values(facts)).toContain('2. mars 2021')
    expect(Object.values(facts)).toContain('Norge')
    expect((await åse.open(path, nb)).words).toMatch(/Sjekket (nå|for \d+ sekunder? siden)/)
  })

  it('have the time of the country of the language, in downloads that of the portal', async () => {
    const fi = { headers: { 'Accept-Language': 'fi' } }
    const page = await åse.open('/partners/12345/activity', fi)
    expect(page.words).toContain('Kellonajat ovat Suomen aikaa.')
    const newest = page.$('main time').first()
    const moment = new Date(String(newest.attr('datetime')))
    const inHelsinki = new Intl.DateTimeFormat('fi-FI', { timeStyle: 'short', timeZone: 'Europe/Helsinki' })
    expect(newest.text()).toBe(inHelsinki.format(moment))
    const [head, first] = (await åse.open('/partners/12345/activity.csv', fi)).text.split('\r\n')
    const inOslo = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short', timeZone: 'Europe/Oslo' })
    expect([head, first]).toEqual([
      expect.stringContaining('"Aika (Oslo)";'),
      expect.stringContaining(`"${inOslo.format(moment)}"`),
    ])
  })
})

describe('the message keys', () => {
  const keysOf = (words: object, prefix = ''): string[] =>
    Object.entries(words).flatMap(([key, value]: [string, unknown]) => [
      prefix + key.replace(/_(one|other)$/, ''),
      ...(typeof value === 'object' && value !== null ? keysOf(value, `${prefix}${key}.`) : []),
    ])
  const keys = new Set(keysOf(english).filter((key) => key.includes('.')))

  it.each(Object.keys(wordsOf))('are never shown on a page in %s', async (code) => {
    const order = test.world.productOrders[0]?.body.productOrderId
    const partner = [
      '',
      '/product-orders',
      '/product-orders?q=nothing',
      `/product-orders/${order}`,
      '/templates',
      '/sales-units',
      '/sales-units?q=nothing',
      '/sales-units/231777',
      '/sales-units/999999',
      '/merchants/business:NO:ORG/311900456',
      '/merchants/business:NO:ORG/999999999',
      '/price-packages',
      '/developers/webhooks',
      '/developers/webhooks?q=nothing',
      '/why?q=999999',
      '/why?q=123456',
      '/why?q=NO%20311%20900%2045',
      '/why?q=nothing',
      '/why?q=12745d37-ce52-55a3-bb28-0479c9d32d7d',
      '/nothing?page=x',
      '/sales-units?page=x',
    ].map((path) => `/partners/12345${path}`)
    const merchant = [
      '',
      '/details',
      '/sales-units',
      '/sales-units/123456',
      '/why?q=999999',
      '/developers/webhooks',
    ].map((path) => `/merchants/business:NO:ORG/311900456${path}`)
    for (const path of ['/select', '/profile', '/partners/23456/templates', ...partner, ...merchant]) {
      const page = await åse.open(path, { headers: { 'Accept-Language': code } })
      expect(page.$('html').attr('lang')).toBe(code)
      const attributes = page
        .$('[placeholder], [aria-label], [title], [data-copied]')
        .toArray()
        .flatMap((element) => Object.values(element.attribs))
      const said = [page.$('body').text(), page.$('title').text(), ...attributes].join(' ')
      const found = said.match(/[a-zA-Z]+(?:\.[a-zA-Z_]+)+/g) ?? []
      expect([path, found.filter((word) => keys.has(word))]).toEqual([path, []])
      expect(said).not.toMatch(/{{|undefined|NaN|\[object/)
    }
  })
})
