import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { factsOf, wordsOf } from '../support/page-content.ts'

let test: TestPortal
let åse: Browser
let mikko: Browser
beforeAll(async () => {
  test = await startTestPortal()
  åse = await test.signedIn('Åse Bjørk')
  mikko = await test.signedIn('Mikko Mäkinen')
})
afterAll(async () => test.stop())

const sauna = '/merchants/business:FI:Y-tunnus/9234567-8'
const acme = '/merchants/business:NO:ORG/311900456'

/** The menu entries without their counts. */
function menuOf({ $ }: Visit): string[] {
  const menu = $('.side nav').clone()
  menu.find('.count').remove()
  return menu
    .find('li')
    .toArray()
    .map((entry) => wordsOf($(entry)))
}

describe('acting as a merchant', () => {
  it('shows the menu of a merchant', async () => {
    const page = await mikko.open(sauna)
    expect(page.$('header .brand').text()).toBe('Business portal')
    expect(menuOf(page)).toEqual([
      'Home',
      'Merchant details',
      'Sales units',
      'Activity',
      'Developers',
      'Webhooks',
      'Why can’t I see it?',
      'Give feedback',
    ])
    expect(page.$('.side strong').text()).toBe('Saimaan Sauna Oy')
    expect(wordsOf(page.$('.side small'))).toBe('FI 9234567-8')
  })

  it('ends the titles with the name of this portal, also on an error page', async () => {
    for (const path of ['', '/sales-units', '/details', '/why?q=1', '/sales-units/999999', '/no/such/page']) {
      const title = (await mikko.open(sauna + path)).$('title').text()
      expect([path, title]).toEqual([path, expect.stringMatching(/ – Saimaan Sauna Oy – Business portal$/)])
    }
  })

  it('answers 404 to the pages of partners', async () => {
    for (const path of [
      '/product-orders',
      '/templates',
      '/price-packages',
      '/merchants/business:FI:Y-tunnus/9234567-8',
    ]) {
      const page = await mikko.open(sauna + path)
      expect([path, page.status]).toEqual([path, 404])
      expect(menuOf(page)).toContain('Merchant details')
    }
  })

  it('shows sales units, details and webhooks on the landing page, without columns that are the same in every row', async () => {
    const page = await åse.open(acme)
    const { $ } = page
    const units = visibleSalesUnits(test.world, {
      kind: 'merchant',
      scheme: 'business:NO:ORG',
      id: '311900456',
    })
    const linesOf = (section: string, part: string) =>
      $(`section[aria-labelledby=${section}] ${part}`)
        .toArray()
        .map((line) => wordsOf($(line)))
    expect(
      $('main section > h2, main .related-title > h2')
        .toArray()
        .map((heading) => wordsOf($(heading))),
    ).toEqual(['Sales units', 'Merchant details', 'Webhooks'])
    expect(linesOf('units', 'tbody td:nth-child(2)').toSorted()).toEqual(units.map(({ body }) => body.msn).toSorted())
    // All of them are of one merchant, and were first seen on one day.
    expect(linesOf('units', 'thead th')).not.toContain('First seen')
    expect(linesOf('units', 'thead th')).not.toContain('Merchant')
    expect(linesOf('webhooks', 'tbody tr')).toHaveLength(3)
    expect($('section[aria-labelledby=webhooks] .related-title a').attr('href')).toBe(`${acme}/developers/webhooks`)
    expect(factsOf(page)['Business identifier']).toContain('NO 311 900 456')
    expect($('section[aria-labelledby=units] tbody a').first().attr('href')).toMatch(`${acme}/sales-units/`)
    expect(page.words).toContain('Welcome, Åse Bjørk')
    expect(page.words).toContain('Details, sales units and webhooks of ACME Fantastic Fitness AS at Vipps MobilePay.')
    expect(page.$('main a[href="https://feedback.example/portal"]').text()).toBe('Give feedback')
  })

  it('shows a viewer no webhooks on the landing page', async () => {
    const jonas = await test.signedIn('Jonas Berg')
    const page = await jonas.open(acme)
    expect(page.$('section[aria-labelledby=webhooks]')).toHaveLength(0)
    expect(page.$('section[aria-labelledby=units] tbody tr').length).toBeGreaterThan(0)
  })

  it('marks the current page and its section in the menu', async () => {
    const at = async (path: string) => {
      const page = await mikko.open(sauna + path)
      const current = page.$('.side nav [aria-current]')
      return [wordsOf(current.clone().find('.count').remove().end()), current.attr('aria-current')]
    }
    expect(await at('')).toEqual(['Home', 'page'])
    expect(await at('/details')).toEqual(['Merchant details', 'page'])
    expect(await at('/sales-units')).toEqual(['Sales units', 'page'])
    expect(await at('/sales-units/290001')).toEqual(['Sales units', 'true'])
    expect(await at('/developers/webhooks')).toEqual(['Webhooks', 'page'])
  })

  it('works with credentials for one sales unit only', async () => {
    const cafe = '/merchants/business:NO:ORG/313402778'
    for (const path of ['', '/details', '/sales-units', '/sales-units/140512', '/developers/webhooks']) {
      const page = await åse.open(cafe + path)
      expect([path, page.status]).toEqual([path, 200])
      expect(page.words).not.toContain('Not available right now')
    }
  })

  it('keeps two organisations apart that are open in two tabs', async () => {
    const partner = await åse.open('/partners/12345/sales-units')
    const merchant = await åse.open(`${acme}/sales-units`)
    expect(menuOf(partner)).toContain('Price packages')
    expect(menuOf(merchant)).not.toContain('Price packages')
    expect((await åse.open('/partners/12345/sales-units/124999')).status).toBe(404)
    expect((await åse.open(`${acme}/sales-units/124999`)).status).toBe(200)
  })
})
