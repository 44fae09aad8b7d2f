import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { chipsOf, rowsOf, wordsOf } from '../support/page-content.ts'

let test: TestPortal
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal()
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

/** The numbers of the partner: for each its link, its words, and the link and words of what changed. */
function numbersOf({ $ }: Visit): (readonly [path: string, words: string])[] {
  return $('.in-numbers li')
    .toArray()
    .map((row) => [String($(row).find('a').first().attr('href')), wordsOf($(row))])
}

/** Makes the user's next page view the beginning of another visit; `visits` are those so far. */
async function endVisit(organisation: string, visits: number): Promise<void> {
  await test.portal.database.pool.query(
    `update visits set visits = $2, seen_at = now() - interval '1 hour' where organisation = $1`,
    [organisation, visits],
  )
}

/** The visit of a page is noted after the page. */
async function visitNoted(organisation: string): Promise<void> {
  const noted = async () =>
    (await test.portal.database.pool.query('select from visits where organisation = $1', [organisation])).rowCount
  await expect.poll(noted).toBe(1)
}

describe('the partner’s landing page', () => {
  it('welcomes for three visits, and then has the same text behind "About this portal"', async () => {
    const kari = await test.signedIn('Liisa Korhonen')
    const base = '/partners/34567'
    const feedback = 'main a[href="https://feedback.example/portal"]'
    const page = await kari.open(base)
    expect(page.$('h1').text()).toBe('Welcome, Liisa Korhonen')
    expect(wordsOf(page.$('section.about'))).toContain(
      'price packages and webhooks for Tyhjä Aloitus Oy and its merchants at Vipps MobilePay.',
    )
    expect(wordsOf(page.$('section.about'))).toContain('Read-only.')
    expect(wordsOf(page.$('section.about'))).toContain('Call us on Mondays.')
    expect(page.$(`section.about ${feedback.replace('main ', '')}`).text()).toBe('Give feedback')
    expect(page.$('header .brand').text()).toBe('Partner portal')

    await visitNoted('partner/34567')
    await endVisit('partner/34567', 2)
    expect((await kari.open(base)).$('h1').text()).toBe('Welcome, Liisa Korhonen')
    await endVisit('partner/34567', 3)
    const later = await kari.open(base)
    expect(later.$('h1').text()).toBe('Home')
    expect(later.$('section.about')).toHaveLength(0)
    expect(wordsOf(later.$('.title summary'))).toBe('About this portal')
    expect(wordsOf(later.$('details.about'))).toContain(
      'price packages and webhooks for Tyhjä Aloitus Oy and its merchants at Vipps MobilePay.',
    )
    expect(wordsOf(later.$('.title'))).toMatch(/Checked .* Nothing can be changed from here/)
    expect(wordsOf(later.$('main > :last-child'))).toBe(
      'What would you like to see here? Give feedback Call us on Mondays.',
    )
  })

  it.each(['12345', '23456'])('shows the counts of partner %s', async (id) => {
    const base = `/partners/${id}`
    const page = await åse.open(base)
    const { pricePackages, templates, partnersWithTemplates } = test.world
    const count = (rows: readonly { partnerId: string }[]) => rows.filter(({ partnerId }) => partnerId === id).length
    const numbers = numbersOf(page)
    // No week has passed: what came with the first sync is not news.
    const merchants = Number(/\d+/.exec(wordsOf((await åse.open(`${base}/merchants`)).$('#found')))?.[0])
    expect(merchants).toBeGreaterThan(30)
    expect(numbers.filter(([path]) => !path.endsWith('/webhooks'))).toEqual([
      [`${base}/sales-units`, `Sales units ${visibleSalesUnits(test.world, { kind: 'partner', id }).length} None new`],
      [`${base}/merchants`, `Merchants ${merchants} None new`],
      [`${base}/product-orders`, `Product orders ${count(test.world.productOrders)} None new`],
      [`${base}/price-packages`, `Price packages ${count(pricePackages)}`],
      [
        `${base}/templates`,
        partnersWithTemplates.includes(id) ? `Templates ${count(templates)}` : 'Templates Not shared by the API',
      ],
    ])
    const [, words = ''] = numbers.find(([path]) => path.endsWith('/webhooks')) ?? []
    expect(words).toMatch(/^Webhooks [1-9]\d*$/)
    expect(wordsOf((await åse.open(`${base}/developers/webhooks`)).$('#found'))).toContain(`${/\d+/.exec(words)?.[0]} `)
  })

  it('shows a viewer no webhooks', async () => {
    const nora = await test.signedIn('Nora Lie')
    expect(wordsOf((await nora.open('/partners/12345')).$('.in-numbers'))).not.toContain('Webhooks')
  })

  it('leads a partner without merchants to the first one in three steps', async () => {
    const liisa = await test.signedIn('Liisa Korhonen')
    const page = await liisa.open('/partners/34567')
    const steps = page.$('section[aria-labelledby=first-merchant] li')
    expect(wordsOf(page.$('#first-merchant'))).toBe('Three steps to your first merchant')
    expect(steps.toArray().map((step) => wordsOf(page.$(step)).split('.')[0])).toEqual([
      'Get a link',
      'Send it to the merchant',
      'Follow the order',
    ])
    expect(steps.find('a[href="/partners/34567/product-orders"]')).toHaveLength(1)
    expect(page.$('#attention, #funnel, .chart')).toHaveLength(0)
    expect((await åse.open('/partners/12345')).$('#first-merchant')).toHaveLength(0)
  })

  it('announces access that ends within 14 days', async () => {
    const nora = await test.signedIn('Nora Lie')
    const endIn = async (days: number | null) =>
      test.portal.database.pool.query(
        `update grants set ends_at = date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' + $2::int * interval '1 day'
         where user_id = $1`,
        [test.userId('Nora Lie'), days],
      )
    const alerts = async () => wordsOf((await nora.open('/partners/12345')).$('main .ds-alert'))
    await endIn(14)
    expect(await alerts()).toMatch(/^Your access to Nordlys Platform AS ends after \d+ \w+ \d{4}\./)
    await endIn(17)
    expect(await alerts()).toBe('')
    await endIn(null)
    expect(await alerts()).toBe('')
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
      'Templates 5',
      'Price packages 8',
      'Activity',
      'Developers',
      'Webhooks 8',
      'Why can’t I see it?',
      'Give feedback',
    ])
    expect(page.$('.side .help a').last().attr('href')).toBe('https://feedback.example/portal')
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
        title: '11 orders in total are waiting for merchants',
        href: '/partners/12345/product-orders?waiting=1',
        rows: Array.from({ length: 3 }, () =>
          expect.stringMatching(/^\S.* for .+ in 14 days \(\d+ \w+\) · (Not opened yet|Viewed by merchant)$/),
        ),
      },
    })
  })

  it('shows orders about to expire and rejected orders, and what came in the last week', async () => {
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
    const { expiring, rejected } = noticesOf(page)
    expect(expiring?.title).toBe('1 prefilled order expires within 3 days')
    expect(expiring?.rows).toEqual([expect.stringContaining(' in 3 days (')])
    expect(rejected?.title).toBe('1 order rejected in the last 14 days')
    for (const { title, href } of Object.values(noticesOf(page))) {
      const list = await åse.open(href)
      expect(title).toMatch(new RegExp(`^${rowsOf(list).length} `))
      expect(list.$('main .ds-chip').length).toBeGreaterThan(0)
    }
    const link = page.$('[data-notice=rejected] li a').attr('href')
    // A sales unit of 8 days ago is not of the last week.
    const changes = page.$('.in-numbers small a').toArray()
    expect(wordsOf(page.$(changes[0] ?? ''))).toBe('+2 this week')
    expect(page.$(changes[0] ?? '').attr('href')).toBe('/partners/23456/sales-units?new=7&sort=-seen')
    const linked = changes.map((change) => String(page.$(change).attr('href')).replace(/\?.*resource=|&.*|\?.*/g, ' '))
    expect(linked.join()).toContain('merchant')
    for (const change of changes) {
      const [says] = /\d+/.exec(wordsOf(page.$(change))) ?? []
      const list = await åse.open(String(page.$(change).attr('href')))
      expect([wordsOf(page.$(change)), wordsOf(list.$('#found')).split(' ')[0]]).toEqual([
        wordsOf(page.$(change)),
        says,
      ])
    }
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
      .$('.stages li')
      .toArray()
      .map((step) => wordsOf(page.$(step)))
    const seen = 3 + done.length
    const viewed = await countOf(page, '.stages li:nth-child(2) a')
    expect(done).toHaveLength(5)
    expect(steps).toEqual([
      `Received ${seen}`,
      expect.stringMatching(new RegExp(`^Viewed ${viewed} ${Math.round((100 * viewed) / seen)}% after 2 days$`)),
      expect.stringMatching(/^Submitted 5 \d+% after 3 days$/),
      expect.stringMatching(/^Completed 5 \d+% after 5 days$/),
    ])
    const waiting = await åse.open('/partners/23456/product-orders?waiting=1')
    const order = await åse.open(String(waiting.$('main tbody .row-link').first().attr('href')))
    expect(wordsOf(order.$('.course li').last())).toBe('Completed About 5 days after that')
    const links = page.$('.funnel :is(.stages, .others) a').toArray()
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
        expect(Object.keys(chipsOf(page)).join()).toMatch(/^Market: \w+$/)
        expect(Object.values(chipsOf(page))).toEqual(['/partners/23456#funnel'])
        return page.$('.stages').length === 0 ? 0 : countOf(page, '.stages a')
      }),
    )
    expect(ofMarkets.reduce((sum, count) => sum + count, 0)).toBe(await countOf(all, '.stages a'))
    const none = await åse.open('/partners/23456?type=TEMPLATE&month=2020-01')
    expect(none.words).toContain('No such order has been followed from its beginning yet.')
    for (const query of ['month=2026-13', 'market=XX', 'type=NO_SUCH', 'product=nothing'])
      expect((await åse.open(`/partners/23456?${query}`)).status).toBe(400)
  })

  it('shows the charts of past months with the same numbers in a table', async () => {
    const page = await åse.open('/partners/23456')
    const { $ } = page
    const total = visibleSalesUnits(test.world, { kind: 'partner', id: '23456' }).length
    const growth = $('section[aria-labelledby=growth]')
    const months = growth.find('tbody tr').length
    expect(wordsOf(growth.find('tbody tr').last().find('td').last())).toBe(String(total))
    expect(months).toBeGreaterThanOrEqual(4)
    expect(growth.find('> svg').attr('aria-label')).toMatch(/^Sales units by market: from \d+ in .* to 60 in /)
    const markets = growth
      .find('.legend li')
      .toArray()
      .map((kind) => wordsOf($(kind)))
    const last = growth.find('tbody tr').last().find('td').toArray()
    const values = last.slice(0, 3).map((cell) => wordsOf($(cell)))
    expect(markets).toEqual(['Norway', 'Denmark', 'Finland'].map((name, at) => `${name} ${values[at]}`))
    const series = growth.find('.legend rect').toArray()
    expect(series.map((rect) => $(rect).attr('data-series'))).toEqual(['1', '2', '3'])
    expect(wordsOf(growth.find('details summary'))).toBe('Show as a table')

    const orders = $('section[aria-labelledby=orders-by-month]')
    // Rows of the first sync belong to no month.
    const rows = orders.find('tbody tr').toArray()
    const counted = rows.reduce((sum, row) => sum + Number(wordsOf($(row).find('td').last())), 0)
    expect(counted).toBe(8)
    expect(orders.find('rect[data-series=completed][height]').length).toBeGreaterThan(0)
    expect(orders.find('> svg').attr('role')).toBe('group')
  })

  it('labels every month of a chart, in the sizes of the page, and each month leads to exactly its rows', async () => {
    const { $ } = await åse.open('/partners/23456')
    for (const id of ['growth', 'orders-by-month']) {
      const chart = $(`section[aria-labelledby=${id}]`)
      const rows = chart.find('tbody tr').toArray()
      const svg = chart.find('> svg')
      expect(svg.attr('viewBox')).toBeUndefined()
      const labels = svg.find('text:not(.total)').toArray()
      expect(labels.map((label) => $(label).text())).toEqual(rows.map((row) => wordsOf($(row).find('th')).slice(0, 3)))
      const columns = svg.find('a').toArray()
      expect(columns.length).toBeGreaterThan(0)
      for (const link of [...columns, ...chart.find('tbody a, .legend a').toArray()]) {
        const name = $(link).attr('aria-label') ?? wordsOf($(link))
        const list = await åse.open(`${$(link).attr('href')}&size=100`)
        expect([$(link).attr('href'), rowsOf(list).length]).toEqual([
          $(link).attr('href'),
          Number(/\d+$/.exec(name)?.[0]),
        ])
        expect(list.$('main .ds-chip').length).toBeGreaterThan(0)
      }
      const all = rows.map((row) => `${wordsOf($(row).find('th'))}: ${wordsOf($(row).find('td').last())}`)
      expect(columns.map((link) => $(link).attr('aria-label'))).toEqual(all.filter((name) => !name.endsWith(': 0')))
    }
  })

  it('says that there is nothing to compare before the second month', async () => {
    const page = await åse.open('/partners/12345')
    const charts = page.$('section.chart')
    expect(charts.length).toBe(2)
    expect(charts.find('svg').length).toBe(0)
    expect(wordsOf(charts.first())).toContain('This chart appears after a month of data.')
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
