import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../src/demo/management-api/visibility.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { rowsOf, wordsOf } from './reading.ts'

let test: TestPortal
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal()
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

const cardsOf = ({ $ }: Visit, list: string): [string, string][] =>
  $(`section[aria-labelledby=${list}] li a`)
    .toArray()
    .map((card) => [String($(card).attr('href')), wordsOf($(card))])

describe('the partner’s landing page', () => {
  it('welcomes, says what the portal is, and how to ask for more', async () => {
    const page = await åse.open('/partners/12345')
    expect(page.$('h1').text()).toBe('Welcome, Åse Bjørk')
    expect(page.words).toContain('Here is what Vipps MobilePay knows about Nordlys Platform AS')
    expect(page.words).toContain('You can look at everything and change nothing.')
    expect(page.$('main a[href="https://feedback.example/portal"]').text()).toBe('Give feedback')
    expect(page.words).toContain('Call us on Mondays.')
    expect(page.$('header .brand').text()).toBe('Partner portal')
  })

  it.each(['12345', '23456', '34567'])('counts what partner %s has', async (id) => {
    const browser = id === '34567' ? await test.signedIn('Liisa Korhonen') : åse
    const base = `/partners/${id}`
    const page = await browser.open(base)
    const { pricePackages, templates, partnersWithTemplates } = test.world
    const count = (rows: readonly { partnerId: string }[]) =>
      rows.filter(({ partnerId }) => partnerId === id).length
    expect(cardsOf(page, 'counts')).toEqual([
      [`${base}/sales-units`, `${visibleSalesUnits(test.world, { kind: 'partner', id }).length} Sales units`],
      [`${base}/price-packages`, `${count(pricePackages)} Price packages`],
      [
        `${base}/templates`,
        partnersWithTemplates.includes(id)
          ? `${count(templates)} Templates`
          : '– Templates Not shared by the API',
      ],
    ])
  })

  it('counts orders by status, and each count leads to as many rows', async () => {
    const page = await åse.open('/partners/12345')
    const cards = cardsOf(page, 'orders')
    const orders = test.world.productOrders.filter(({ partnerId }) => partnerId === '12345')
    expect(cards.map(([, words]) => words)).toEqual([
      '5 Submitted',
      '5 Viewed by merchant',
      '8 Received',
      '7 Completed',
      '7 Rejected',
      '1 ON_HOLD',
      '5 Expired',
    ])
    for (const [href, words] of cards) {
      const status = new URL(href, page.url).searchParams.get('status')
      const count = orders.filter(({ body }) => body.status === status).length
      expect(words.split(' ')[0]).toBe(String(count))
      expect(rowsOf(await åse.open(href))).toHaveLength(count)
    }
  })

  it('tells a partner without orders that there are none', async () => {
    const liisa = await test.signedIn('Liisa Korhonen')
    const page = await liisa.open('/partners/34567')
    expect(page.words).toContain('No product order names you as partner yet.')
  })

  it('has every page of the portal in its menu, with counts of what has been read', async () => {
    const page = await åse.open('/partners/12345')
    const entries = page
      .$('.side nav li')
      .toArray()
      .map((entry) => wordsOf(page.$(entry)))
    expect(entries).toEqual([
      'Home',
      'Product orders 33',
      'Templates',
      'Sales units 12',
      'Price packages',
      'Developers',
      'Webhooks',
    ])
  })
})

it('offers no way to give feedback where the operator has set none', async () => {
  const quiet = await startTestPortal({ env: { FEEDBACK_URL: '', SUPPORT_TEXT: '' } })
  try {
    const kari = await quiet.signedIn('Kari Nordmann')
    const page = await kari.open('/partners/12345')
    expect(page.words).toContain('What would you like to see here?')
    expect(page.words).not.toContain('Give feedback')
  } finally {
    await quiet.stop()
  }
})
