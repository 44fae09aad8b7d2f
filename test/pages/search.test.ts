import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { wordsOf } from '../support/page-content.ts'

const base = '/partners/12345'
const shop = '/merchants/business:NO:ORG/311900456'

let test: TestPortal
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal()
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

async function find(q: string, { browser = åse, at = base } = {}): Promise<Visit> {
  return browser.open(`${at}/search?q=${encodeURIComponent(q)}`)
}

/** The names of the rows found, by kind. */
function found({ $ }: Visit): Record<string, string[]> {
  return Object.fromEntries(
    $('[data-group]')
      .toArray()
      .map((group) => [
        String($(group).attr('data-group')),
        $(group)
          .find('li a')
          .toArray()
          .map((link) => wordsOf($(link))),
      ]),
  )
}

function own<Row extends { partnerId: string | null }>(rows: readonly Row[]): Row[] {
  return rows.filter(({ partnerId }) => partnerId === '12345')
}

describe('the matches while typing', () => {
  const typed = async (q: string) =>
    åse.open(`${base}/search?q=${q}`, { headers: { 'HX-Request': 'true', 'HX-Target': 'div#suggestions' } })

  it('are the first of each kind, without the page around them, and never a redirect', async () => {
    const matches = await typed('fitness')
    expect(matches.$('main, header, h1')).toHaveLength(0)
    expect(matches.$('p').first().text()).toBe('Sales units')
    expect(matches.$('a[href^="/partners/12345/sales-units/"]').length).toBeLessThanOrEqual(3)
    expect(matches.$('a').last().attr('href')).toBe(`${base}/search?q=fitness`)
    expect((await typed('123456')).status).toBe(200)
    expect((await typed('zznothing')).$('p').text()).toBe('No results for “zznothing”')
  })

  it('are the records viewed last while the field is empty, of this organisation only', async () => {
    const visitor = await test.signedIn('Åse Bjørk')
    for (const msn of ['123456', '150666', '123456']) await visitor.open(`${base}/sales-units/${msn}`)
    const headers = { 'HX-Target': 'div#suggestions' }
    const recent = await visitor.open(`${base}/search`, { headers })
    const hrefs = recent
      .$('a')
      .toArray()
      .map((link) => recent.$(link).attr('href'))
    expect(hrefs).toEqual([`${base}/sales-units/123456`, `${base}/sales-units/150666`])
    expect((await visitor.open(`${shop}/search`, { headers })).$('a')).toHaveLength(0)
  })
})

describe('the search box of every page', () => {
  it('searches the organisation without JavaScript', async () => {
    for (const path of [base, `${base}/sales-units`, `${base}/no/such/page`, shop]) {
      const { $ } = await åse.open(path)
      const form = $('header form[role=search]')
      expect([path, form.attr('action'), form.attr('method')]).toEqual([
        path,
        `${path.startsWith(base) ? base : shop}/search`,
        'get',
      ])
      expect(form.find('input[type=search]').attr('aria-label')).toMatch(/^Search ./)
    }
    expect((await åse.open('/profile')).$('header form[role=search]')).toHaveLength(0)
  })

  it('keeps the query', async () => {
    expect((await find('fitness')).$('#find').val()).toBe('fitness')
  })
})

describe('the search result', () => {
  it('is grouped by kind, with a few rows, the count and a link to all', async () => {
    const page = await find('fitness')
    const groups = found(page)
    expect(Object.keys(groups)).toEqual(['salesUnits', 'merchants', 'productOrders', 'templates', 'webhooks'])
    expect(groups['salesUnits']).toHaveLength(5)
    expect(wordsOf(page.$('#salesUnits'))).toBe('Sales units 9')
    const all = await åse.follow('See all (9)')
    expect(all.url.pathname + all.url.search).toBe(`${base}/sales-units?q=fitness`)
    expect(all.$('main tbody tr')).toHaveLength(9)
    expect(groups['merchants']).toContain('Fitness Tampere Oy')
    expect(page.$('[data-group=salesUnits] mark').first().text().toLowerCase()).toBe('fitness')
    expect(page.$('title').text()).toBe('Results for “fitness” – Nordlys Platform AS – Partner portal')
  })

  it('links to the page of each row', async () => {
    const page = await find('Tampere')
    const links = page
      .$('.search-group a')
      .toArray()
      .map((link) => String(page.$(link).attr('href')))
    expect(links).toContain(`${base}/sales-units/28123`)
    expect(links).toContain(`${base}/merchants/business:FI:Y-tunnus/9123456-7`)
    for (const link of links) expect([link, (await åse.open(link)).status]).toEqual([link, 200])
  })

  it('includes webhooks by URL', async () => {
    const hook = test.world.webhooks.find(({ registeredFor }) => registeredFor === 'partner/12345')
    const url = String(hook?.body.url)
    expect(found(await find(url.slice(8, -2)))['webhooks']).toContain(url)
  })

  it('says when nothing matches, and what can be searched', async () => {
    const page = await find('zz <b>nothing</b>')
    expect(page.words).toContain('No results for “zz <b>nothing</b>”')
    expect(page.words).toContain('Try part of a name or an ID')
    const links = page
      .$('main .empty a')
      .toArray()
      .map((link) => wordsOf(page.$(link)))
    expect(links).toEqual([
      'Why can’t I see it?',
      'Sales units',
      'Product orders',
      'Templates',
      'Price packages',
      'Webhooks',
    ])
  })

  it('is empty without a query', async () => {
    const page = await åse.open(`${base}/search`)
    expect([page.status, page.$('h1').text()]).toEqual([200, 'Search'])
    expect(page.$('[data-group], .empty')).toHaveLength(0)
  })

  it('is the 400 page for an invalid query', async () => {
    for (const query of [`q=${'x'.repeat(101)}`, 'q=a&q=b', 'q=%00'])
      expect([query, (await åse.open(`${base}/search?${query}`)).status]).toEqual([query, 400])
  })
})

describe('a search for an exact ID', () => {
  const leadsTo = async (q: string, options: Parameters<typeof find>[1] = {}): Promise<string> => {
    const { url } = await find(q, options)
    return url.pathname + url.search
  }

  it.each([
    ['an MSN', '123456', '/sales-units/123456'],
    ['a business identifier', '311900456', '/merchants/business:NO:ORG/311900456'],
    ['a business identifier with spaces', 'NO 311 900 456', '/merchants/business:NO:ORG/311900456'],
    ['a Danish business identifier', 'CVR 91234567', '/merchants/business:DK:CVR/91234567'],
    ['a Finnish business identifier', '9123456-7', '/merchants/business:FI:Y-tunnus/9123456-7'],
    ['one without its hyphen', 'FI91234567', '/merchants/business:FI:Y-tunnus/9123456-7'],
    ['one with its register', 'Y-tunnus: 9123456-7', '/merchants/business:FI:Y-tunnus/9123456-7'],
  ])('opens the page of %s: %s', async (_what, q, path) => {
    expect(await leadsTo(q)).toBe(base + path)
  })

  it('opens the page of an order, a template, a price package and a webhook', async () => {
    const [order] = own(test.world.productOrders)
    const [template] = own(test.world.templates)
    const [pricePackage] = own(test.world.pricePackages)
    const hook = test.world.webhooks.find(({ registeredFor }) => registeredFor === 'partner/12345')
    const { productOrderId = '' } = order?.body ?? {}
    expect(await leadsTo(productOrderId.toUpperCase())).toBe(`${base}/product-orders/${productOrderId}`)
    const templateId = String(template?.body.templateId)
    expect(await leadsTo(templateId)).toBe(`${base}/templates?q=${templateId}`)
    const { pricePackageId = '' } = pricePackage?.body ?? {}
    expect(await leadsTo(pricePackageId)).toBe(`${base}/price-packages?q=${pricePackageId}`)
    const id = String(hook?.body.id)
    expect(await leadsTo(id)).toBe(`${base}/developers/webhooks?q=${id}`)
    expect((await find(id)).$('main tbody tr')).toHaveLength(1)
  })

  it('shows the result page for a part of an ID', async () => {
    expect(await leadsTo('12345')).toBe(`${base}/search?q=12345`)
  })
})

describe('access to search results', () => {
  it('excludes the data of other organisations', async () => {
    const foreign = test.world.salesUnits.find(({ partnerId }) => partnerId === '23456')?.body
    for (const q of [foreign?.msn ?? '', foreign?.name ?? '', '290001'])
      expect([q, (await find(q)).words]).toEqual([q, expect.stringContaining('No results for')])
  })

  it('limits a merchant to its own sales units and webhooks', async () => {
    const page = await find('fitness', { at: shop })
    expect(Object.keys(found(page)).filter((key) => !['salesUnits', 'webhooks'].includes(key))).toEqual([])
    expect((await find('123456', { at: shop })).url.pathname).toBe(`${shop}/sales-units/123456`)
  })

  it('excludes webhooks without the role for them', async () => {
    const nora = await test.signedIn('Nora Lie')
    const hook = test.world.webhooks.find(({ registeredFor }) => registeredFor === 'partner/12345')
    for (const q of [String(hook?.body.id), String(hook?.body.url)]) {
      const page = await find(q, { browser: nora })
      expect(page.url.pathname).toBe(`${base}/search`)
      expect(page.words).toContain('No results for')
      expect(page.$('main a[href*=developers]')).toHaveLength(0)
    }
    expect(Object.keys(found(await find('fitness', { browser: nora })))).not.toContain('webhooks')
  })
})

it('the search result says what has not been read yet', async () => {
  const fresh = await startTestPortal({ synced: false, faults: { down: true } })
  try {
    const kari = await fresh.signedIn('Kari Nordmann')
    const page = await find('x', { browser: kari })
    expect(page.words).toContain('Not included, because still loading: the sales units, the product orders')
  } finally {
    await fresh.stop()
  }
})
