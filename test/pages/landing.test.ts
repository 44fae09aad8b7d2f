import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { rowsOf, wordsOf } from '../support/page-content.ts'

let test: TestPortal
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal()
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

function cardsOf({ $ }: Visit, list: string): [string, string][] {
  return $(`section[aria-labelledby=${list}] li a`)
    .toArray()
    .map((card) => [String($(card).attr('href')), wordsOf($(card))])
}

describe('the partner’s landing page', () => {
  it('shows a welcome, what the portal is for, and where to ask for more', async () => {
    const page = await åse.open('/partners/12345')
    expect(page.$('h1').text()).toBe('Welcome, Åse Bjørk')
    expect(page.words).toContain('Here is what Vipps MobilePay knows about Nordlys Platform AS')
    expect(page.words).toContain('You can look at everything and change nothing.')
    expect(page.$('main a[href="https://feedback.example/portal"]').text()).toBe('Give feedback')
    expect(page.words).toContain('Call us on Mondays.')
    expect(page.$('header .brand').text()).toBe('Partner portal')
  })

  it.each(['12345', '23456', '34567'])('shows the counts of partner %s', async (id) => {
    const browser = id === '34567' ? await test.signedIn('Liisa Korhonen') : åse
    const base = `/partners/${id}`
    const page = await browser.open(base)
    const { pricePackages, templates, partnersWithTemplates } = test.world
    const count = (rows: readonly { partnerId: string }[]) => rows.filter(({ partnerId }) => partnerId === id).length
    const orders = count(test.world.productOrders)
    expect(cardsOf(page, 'counts')).toEqual([
      [`${base}/sales-units`, `${visibleSalesUnits(test.world, { kind: 'partner', id }).length} Sales units`],
      [`${base}/product-orders`, `${orders} Product orders`],
      [`${base}/price-packages`, `${count(pricePackages)} Price packages`],
      [
        `${base}/templates`,
        partnersWithTemplates.includes(id) ? `${count(templates)} Templates` : '– Templates Not shared by the API',
      ],
    ])
  })

  it('says so when the partner has no orders', async () => {
    const liisa = await test.signedIn('Liisa Korhonen')
    const page = await liisa.open('/partners/34567')
    expect(page.words).toContain('No product order names you as partner yet.')
  })

  it('lists every page in the menu, with counts of the synced data', async () => {
    const page = await åse.open('/partners/12345')
    const entries = page
      .$('.side nav li')
      .toArray()
      .map((entry) => wordsOf(page.$(entry)))
    expect(entries).toEqual([
      'Home',
      'Product orders 38',
      'Merchants 32',
      'Sales units 12',
      'Templates',
      'Price packages',
      'Activity',
      'Developers',
      'Webhooks',
      'Why can’t I see it?',
    ])
  })
})

/** Each notice with its heading, its link and its rows. */
function noticesOf({ $ }: Visit) {
  return Object.fromEntries(
    $('[data-notice]')
      .toArray()
      .map((notice) => [
        String($(notice).attr('data-notice')),
        {
          title: wordsOf($(notice).find('h3')),
          href: String($(notice).find('h3 a').attr('href')),
          rows: $(notice)
            .find('li')
            .toArray()
            .map((row) => wordsOf($(row))),
        },
      ]),
  )
}

/** Sets the first-seen dates of these rows back by `days`. */
async function backdate(table: 'sales_units' | 'product_orders', keys: readonly string[], days: number) {
  const at = new Date(Date.now() - days * 86_400_000)
  await test.portal.database.kysely
    .updateTable(table)
    .set({ first_seen_at: at, changed_at: at })
    .where('organisation', '=', 'partner/23456')
    .where('key', 'in', keys)
    .execute()
}

function isPrefilled({ productOrderType }: { productOrderType: string }): boolean {
  return productOrderType === 'PREFILL'
}

async function countOf({ $ }: Visit, link: string): Promise<number> {
  return Number($(link).first().text())
}

/** A change of the list, after which the sync counts again. */
async function changeOneOrder(): Promise<void> {
  const order = test.world.productOrders.find(({ partnerId, body }) => partnerId === '23456' && !isPrefilled(body))
  if (order) order.body.productOrderUrl = `https://orders.example.com/order/${randomUUID()}`
  await test.sync()
}

describe('the section "needs attention"', () => {
  it('shows no news after the first sync, when the age of the rows is unknown', async () => {
    const notices = noticesOf(await åse.open('/partners/12345'))
    expect(notices).toEqual({
      waiting: {
        title: '11 orders in all wait for their merchants',
        href: '/partners/12345/product-orders?waiting=1',
        rows: Array.from({ length: 3 }, () =>
          expect.stringMatching(/^\S.* for .+ in 14 days \(\d+ \w+\) · (Not opened yet|Viewed by merchant)$/),
        ),
      },
    })
    const liisa = await test.signedIn('Liisa Korhonen')
    expect(wordsOf((await liisa.open('/partners/34567')).$('section[aria-labelledby=attention]'))).toContain(
      'Nothing needs attention right now',
    )
  })

  it('shows new sales units, orders about to expire and rejected orders', async () => {
    const { world } = test
    const ofPartner = <Row extends { partnerId: string | null }>(rows: readonly Row[]) =>
      rows.filter(({ partnerId }) => partnerId === '23456')
    const keys = ofPartner(world.salesUnits).map(({ body }) => body.msn)
    const orders = ofPartner(world.productOrders)
    const ids = orders.map(({ body }) => body.productOrderId)
    await backdate('sales_units', keys, 100)
    await backdate('product_orders', ids, 100)
    await backdate('sales_units', keys.slice(0, 1), 8)
    await backdate('sales_units', keys.slice(1, 3), 6)

    const waits = orders.filter(
      ({ body }) => body.productOrderType === 'PREFILL' && ['RECEIVED', 'MERCHANT_VIEWED'].includes(body.status),
    )
    const [young, old, over] = waits
    if (!young || !old || !over) throw new Error('the demo world has too few orders that wait')
    await backdate('product_orders', [young.body.productOrderId], 9)
    await backdate('product_orders', [old.body.productOrderId], 11)
    await backdate('product_orders', [over.body.productOrderId], 15)
    const received = orders.find(({ body }) => body.productOrderType !== 'PREFILL' && body.status === 'RECEIVED')
    if (!received) throw new Error('the demo world has no order that is not prefilled and waits')
    received.body.status = 'REJECTED'
    // The sync counts the changes it has made itself.
    const one = world.salesUnits.find(({ body }) => body.msn === keys[5])
    if (one) one.body.name = `${one.body.name} 2`
    await test.sync()

    const page = await åse.open('/partners/23456')
    const { newSalesUnits, expiring, rejected } = noticesOf(page)
    expect(newSalesUnits).toMatchObject({
      title: '2 new sales units in the last 7 days',
      href: '/partners/23456/sales-units?new=7&sort=-seen',
    })
    expect(newSalesUnits?.rows.map((row) => row.replace(/ \d+ \w{3,4}$/, '')).toSorted()).toEqual(
      ofPartner(world.salesUnits)
        .slice(1, 3)
        .map(({ body }) => wordsOf(page.$('<p>').text(body.name)))
        .toSorted(),
    )
    expect(expiring?.title).toBe('1 prefilled order expires within 3 days')
    expect(expiring?.rows).toEqual([expect.stringContaining(' in 3 days (')])
    expect(rejected?.title).toBe('1 order rejected in the last 14 days')
    for (const { title, href } of Object.values(noticesOf(page))) {
      const list = await åse.open(href)
      expect(title).toMatch(new RegExp(`^${rowsOf(list).length} `))
      expect(list.$('main .ds-chip').length).toBeGreaterThan(0)
    }
    const link = page.$('[data-notice=rejected] li a').attr('href')
    expect(link).toBe(`/partners/23456/product-orders/${received.body.productOrderId}`)
  })

  it('shows how far orders have come that were seen from the beginning, each number with its rows', async () => {
    const { kysely } = test.portal.database
    const orders = test.world.productOrders.filter(({ partnerId, body }) => partnerId === '23456' && isPrefilled(body))
    const done = orders.filter(({ body }) => body.status === 'COMPLETED').slice(0, 5)
    // As if the sync had seen each step: received 20 days ago, viewed 2, submitted 3 and completed 5 days later.
    const at = (days: number) => new Date(Date.now() - days * 86_400_000)
    await kysely
      .updateTable('product_orders')
      .set({ first_seen_at: at(20), ...({ viewed_at: at(18), submitted_at: at(15), completed_at: at(10) } as object) })
      .where('organisation', '=', 'partner/23456')
      .where(
        'key',
        'in',
        done.map(({ body }) => body.productOrderId),
      )
      .execute()
    await changeOneOrder()
    const page = await åse.open('/partners/23456')
    const steps = page
      .$('.funnel-steps li')
      .toArray()
      .map((step) => wordsOf(page.$(step)))
    const seen = 3 + done.length
    const viewed = await countOf(page, '.funnel-steps li:nth-child(2) a')
    expect(done).toHaveLength(5)
    expect(steps).toEqual([
      `Received ${seen}`,
      expect.stringMatching(new RegExp(`^Viewed ${viewed} ${Math.round((100 * viewed) / seen)}% after 2 days$`)),
      expect.stringMatching(/^Submitted 5 \d+% after 3 days$/),
      expect.stringMatching(/^Completed 5 \d+% after 5 days$/),
    ])
    const links = page.$('.card-funnel :is(.funnel-steps, .others) a').toArray()
    expect(links.length).toBeGreaterThan(4)
    for (const link of links) {
      const [says] = /\d+/.exec(wordsOf(page.$(link))) ?? []
      const list = await åse.open(String(page.$(link).attr('href')))
      expect([wordsOf(page.$(link)), rowsOf(list).length]).toEqual([wordsOf(page.$(link)), Number(says)])
    }
  })

  it('shows the funnel of one market, product or type, and says when it has nothing to show', async () => {
    const all = await åse.open('/partners/23456')
    const ofMarkets = await Promise.all(
      ['NO', 'DK', 'FI', 'SE'].map(async (market) => {
        const page = await åse.open(`/partners/23456?market=${market}`)
        expect(page.$('#funnel-market [selected]').val()).toBe(market)
        return page.$('.funnel-steps').length === 0 ? 0 : countOf(page, '.funnel-steps a')
      }),
    )
    expect(ofMarkets.reduce((sum, count) => sum + count, 0)).toBe(await countOf(all, '.funnel-steps a'))
    const none = await åse.open('/partners/23456?type=TEMPLATE&month=2020-01')
    expect(none.words).toContain('No such order has been seen from its beginning yet.')
    for (const query of ['month=2026-13', 'market=XX', 'type=NO_SUCH', 'product=nothing'])
      expect((await åse.open(`/partners/23456?${query}`)).status).toBe(400)
  })

  it('shows the charts of past months with the same numbers in a table', async () => {
    const page = await åse.open('/partners/23456')
    const { $ } = page
    const total = visibleSalesUnits(test.world, { kind: 'partner', id: '23456' }).length
    const growth = $('section[aria-labelledby=growth]')
    expect(wordsOf(growth.find('tbody tr').last().find('td').last())).toBe(String(total))
    expect(growth.find('tbody tr').length).toBeGreaterThanOrEqual(4)
    expect(wordsOf(growth.find('svg > title'))).toMatch(/^Sales units by market: from \d+ in .* to 60 in /)
    expect(growth.find('path').length).toBe(growth.find('.legend li').length)
    const markets = growth
      .find('.legend li')
      .toArray()
      .map((kind) => wordsOf($(kind)))
    expect(markets).toEqual(['Norway', 'Denmark', 'Finland'])

    const orders = $('section[aria-labelledby=orders-by-month]')
    // Rows of the first sync belong to no month.
    const rows = orders.find('tbody tr').toArray()
    const counted = rows.reduce((sum, row) => sum + Number(wordsOf($(row).find('td').last())), 0)
    expect(counted).toBe(8)
    expect(orders.find('rect[data-status][height]').length).toBeGreaterThan(3)
    expect(orders.find('svg').first().attr('role')).toBe('group')
  })

  it('says that there is nothing to compare before the second month', async () => {
    const page = await åse.open('/partners/12345')
    const charts = page.$('section.chart')
    expect(charts.length).toBe(2)
    expect(charts.find('svg').length).toBe(0)
    expect(wordsOf(charts.first())).toContain('when the portal has been reading for more than a month')
  })
})

it('has no feedback link when the operator has configured none', async () => {
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
