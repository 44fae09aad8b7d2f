import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleMerchant } from '../../demo/management-api/visibility.ts'
import type { DemoProductOrder } from '../../demo/world/types.ts'
import { messages } from '../support/messages.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import {
  chipsOf,
  headingsOf,
  inOrder,
  linksOf,
  readAll,
  readRows,
  rowsOf,
  shownDate,
  writtenIdentifier,
} from '../support/page-content.ts'

let test: TestPortal
let kari: Browser
/** The date of the first sync. */
let today: string
beforeAll(async () => {
  today = shownDate(new Date())
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

const path = '/partners/12345/product-orders'
const { unknown: _, ...knownStatuses } = messages.orderStatus
const statuses: Record<string, { name: string }> = knownStatuses
const products: Record<string, string> = messages.productType
const types: Record<string, string> = messages.orderType

type Order = DemoProductOrder['body']
function ordersOf(partnerId: string, wanted: (order: Order) => boolean = () => true): Order[] {
  return test.world.productOrders
    .filter((row) => row.partnerId === partnerId)
    .map(({ body }) => body)
    .filter(wanted)
}

/** The name of an order's merchant, if the partner may see the merchant. */
function merchantOf(orderId: string): string | undefined {
  const order = test.world.productOrders.find(({ body }) => body.productOrderId === orderId)
  return (
    order &&
    visibleMerchant(test.world, { kind: 'partner', id: order.partnerId }, order.body.businessIdentifier)?.merchant.body
      .name
  )
}

/** The state of an order in words. */
function stateOf({ status, productOrderType }: Order): string {
  if (status === 'ON_HOLD') return 'On hold (ON_HOLD)'
  return status === 'RECEIVED' && productOrderType === 'PREFILL' ? 'Not opened yet' : (statuses[status]?.name ?? status)
}

/** Waits for its merchant to open or submit it. */
function waits(order: Order): boolean {
  return order.status === 'MERCHANT_VIEWED' || stateOf(order) === 'Not opened yet'
}

/** The cells of an order's row; every order was first seen when the test began. */
function rowOf(order: Order): string[] {
  const { businessIdentifier, productType, productOrderType, productOrderId } = order
  const ends = new Date(Date.now() + 14 * 86_400_000)
  const written = writtenIdentifier(businessIdentifier)
  const merchant = merchantOf(productOrderId)
  return [
    merchant === undefined ? `${written} No name yet` : `${merchant} ${written}`,
    productType === 'GIFT_CARDS' ? 'Gift cards (GIFT_CARDS)' : (products[productType] ?? productType),
    stateOf(order),
    today,
    waits(order)
      ? `in 14 days ${new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'Europe/Oslo' }).format(ends)}`
      : '',
    types[productOrderType] ?? productOrderType,
  ]
}

/** The rows with the day instead of the time of their last change. */
function dated(rows: readonly string[][]): string[][] {
  return rows.map((row) => row.map((cell, at) => (at === 3 ? cell.replace(/^Today, \d\d:\d\d$/, today) : cell)))
}

describe('the list', () => {
  it('shows every order of the partner, also expired ones, in all columns', async () => {
    const pages = await readAll(kari, path)
    expect(pages.map(({ length }) => length)).toEqual([25, 13])
    expect(inOrder(dated(pages.flat()))).toEqual(inOrder(ordersOf('12345').map(rowOf)))
    const page = await kari.open(path)
    expect(headingsOf(page)).toEqual(['Merchant', 'Product', 'Status', 'Last change', 'Expires', 'Created via'])
    expect(page.words).toContain('38 product orders')
    expect(page.words).toContain('1–25 of 38')
  })

  it('sorts those that wait for their merchants first, and says so', async () => {
    const page = await kari.open(path)
    expect(page.words).toContain('Orders waiting for merchants come first, the next to expire at the top.')
    const inTurn = (await readRows(kari, path)).map((row) => String(row[2]))
    const waiting = new Set(['Not opened yet', 'Viewed by merchant'])
    const groups = inTurn.map((state) => (waiting.has(state) ? 'waits' : state))
    const order = ['waits', 'Received', 'Submitted', 'Completed', 'Rejected', 'On hold (ON_HOLD)', 'Expired']
    expect([...new Set(groups)]).toEqual(order)
    expect(groups).toEqual(groups.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)))
    const sorted = await kari.open(`${path}?sort=merchant`)
    expect(sorted.words).not.toContain('Orders waiting for merchants come first')
  })

  it('shows the last page instead of one past the end, and says so', async () => {
    const page = await kari.open(`${path}?page=49`)
    expect([page.status, rowsOf(page).length]).toEqual([200, 13])
    expect(page.words).toContain('There is no page 49. This is the last page.')
    expect(page.words).toContain('26–38 of 38')
  })

  it('shows another partner its own orders', async () => {
    const åse = await test.signedIn('Åse Bjørk')
    const rows = await readRows(åse, '/partners/23456/product-orders')
    expect(rows).toHaveLength(60)
    expect(inOrder(dated(rows))).toEqual(inOrder(ordersOf('23456').map(rowOf)))
  })

  it('explains what may be shown and why an order can be missing', async () => {
    const { words: said } = await kari.open(path)
    expect(said).toContain('Why are some details missing?')
    expect(said).toContain('The reason for a rejection is never shared with partners')
    expect(said).toContain('I can’t see product order X')
    expect(said).toContain('You cannot see an order that the merchant placed without naming you')
  })

  it('links each row to its order', async () => {
    const page = await kari.open(`${path}?status=COMPLETED`)
    const hrefs = page
      .$('main td a')
      .toArray()
      .map((link) =>
        page
          .$(link)
          .attr('href')
          ?.replace(/\?from=.*/, ''),
      )
    for (const { productOrderId } of ordersOf('12345', ({ status }) => status === 'COMPLETED')) {
      expect(hrefs).toContain(`${path}/${productOrderId}`)
    }
  })

  it('explains itself to a partner without orders', async () => {
    const liisa = await test.signedIn('Liisa Korhonen')
    const page = await liisa.open('/partners/34567/product-orders')
    expect(page.words).toContain('No product orders yet')
    expect(page.$('main :is(table, nav.status-tabs, .download, .tools)')).toHaveLength(0)
  })
})

/** The tabs above the list with their counts. */
function tabsOf({ $ }: Visit) {
  return $('nav.status-tabs a')
    .toArray()
    .map((tab) => {
      const count = $(tab).find('.count').text()
      const name = $(tab).text().replace(count, '').trim()
      return { name, count: Number(count), href: $(tab).attr('href'), current: $(tab).is('[aria-current]') }
    })
}

describe('tabs', () => {
  it.each([
    ['', () => true],
    ['product=CHECKOUT', ({ productType }: Order) => productType === 'CHECKOUT'],
    [
      'q=912&type=PREFILL',
      ({ productOrderId, businessIdentifier, productOrderType, salesUnit }: Order) =>
        [productOrderId, businessIdentifier.id, salesUnit?.msn].some((text) => text?.includes('912')) &&
        productOrderType === 'PREFILL',
    ],
    ['market=FI', ({ businessIdentifier }: Order) => businessIdentifier.scheme.startsWith('business:FI')],
  ])('show the count of each state for the filter "%s", and together each order once', async (query, wanted) => {
    const page = await kari.open(`${path}?${query}`)
    const orders = ordersOf('12345', wanted)
    const tabOf = (order: Order) => (order.status === 'ON_HOLD' ? 'Other' : stateOf(order))
    const inState = (tab: string) => orders.filter((order) => tabOf(order) === tab && !waits(order)).length
    expect(tabsOf(page).map(({ name, count }) => [name, count])).toEqual([
      ['Needs action', orders.filter(waits).length],
      ...['Received', 'Submitted', 'Completed', 'Rejected', 'Other', 'Expired'].map((tab) => [tab, inState(tab)]),
      ['All', orders.length],
    ])
    for (const { name, href, count: says } of tabsOf(page)) {
      const tab = await kari.open(new URL(String(href), page.url).href)
      const rows = await readRows(kari, tab.url.href)
      expect([name, rows.length]).toEqual([name, says])
      expect(tabsOf(tab).filter((one) => one.current)).toMatchObject([{ name }])
    }
  })

  it('keep the filter, and the filter keeps the tab', async () => {
    const page = await kari.open(`${path}?type=PREFILL&status=RECEIVED`)
    expect(tabsOf(page).find(({ name }) => name === 'Submitted')?.href).toBe('?status=ORDER_SUBMITTED&type=PREFILL')
    expect(page.$('input[type=hidden][form=filter][name=status]').val()).toBe('RECEIVED')
    expect(chipsOf(page)).toEqual({
      'Status: Received': '?type=PREFILL',
      'Created via: API prefill': '?status=RECEIVED',
    })
  })
})

describe('the filter', () => {
  it.each(['type', 'product'])('has no value for all others of the %s, as the status has', async (choice) => {
    expect((await kari.open(`${path}?status=OTHER`)).status).toBe(200)
    expect((await kari.open(`${path}?${choice}=OTHER`)).status).toBe(400)
  })

  it.each([
    ...['ORDER_SUBMITTED', 'MERCHANT_VIEWED', 'RECEIVED', 'COMPLETED', 'REJECTED', 'ON_HOLD'].map(
      (status) => `status=${status}`,
    ),
    ...['PREFILL', 'TEMPLATE', 'MANUAL'].map((type) => `type=${type}`),
    ...['PAYMENT_INTEGRATION', 'CASHIER', 'CHECKOUT', 'LOGIN', 'DONATIONS', 'GIFT_CARDS'].map(
      (product) => `product=${product}`,
    ),
    'status=RECEIVED&type=PREFILL&product=LOGIN',
    'type=TEMPLATE&status=COMPLETED',
  ])('filters by %s', async (query) => {
    const asked = Object.fromEntries(new URLSearchParams(query))
    const expected = ordersOf(
      '12345',
      (order) =>
        [order.status, undefined].includes(asked['status']) &&
        [order.productOrderType, undefined].includes(asked['type']) &&
        [order.productType, undefined].includes(asked['product']),
    )
    expect(expected.length).toBeGreaterThan(0)
    expect(inOrder(dated(await readRows(kari, `${path}?${query}`)))).toEqual(inOrder(expected.map(rowOf)))
    const page = await kari.open(`${path}?${query}`)
    expect(page.words).toContain(`${expected.length} of 38 product orders`)
    for (const choice of ['type', 'product'])
      expect(page.$(`#${choice} [checked]`).val() || undefined).toBe(asked[choice])
  })

  it('lists every documented value and unknown ones, with a label where there is one', async () => {
    const page = await kari.open(path)
    const optionsOf = (choice: string) =>
      page
        .$(`#${choice} label`)
        .toArray()
        .map((option) => page.$(option).text().trim())
    expect(optionsOf('type')).toEqual(['All', 'API prefill', 'Template', 'Manual'])
    expect(optionsOf('product')).toEqual(['All', ...Object.values(products), 'Gift cards (GIFT_CARDS)'])
  })

  it('finds text in order ID, business identifier, merchant, sales unit and MSN', async () => {
    const [order] = ordersOf('12345', ({ salesUnit }) => salesUnit !== undefined && salesUnit !== null)
    const { scheme, id } = order?.businessIdentifier ?? { scheme: '', id: '' }
    const merchant = test.world.merchants.find(({ body }) => body.businessIdentifier.id === id)?.body.name
    for (const q of [
      order?.productOrderId.toUpperCase(),
      id,
      `${scheme}:${id}`,
      merchant?.toUpperCase(),
      order?.salesUnit?.name.toLowerCase(),
      order?.salesUnit?.msn,
    ]) {
      const rows = await readRows(kari, `${path}?q=${encodeURIComponent(q ?? '')}`)
      expect(rows.length).toBeLessThan(10)
      expect(rows.map(([first]) => first)).toContain(`${merchant} ${writtenIdentifier({ scheme, id })}`)
    }
  })

  it('says that nothing matches, and can be cleared', async () => {
    const page = await kari.open(`${path}?q=nothing&status=RECEIVED`)
    expect(page.words).toContain('No product order matches “nothing”')
    expect(page.words).toContain('0 of 38 product orders match “nothing”')
    expect(rowsOf(await kari.follow('Clear search and filters'))).toHaveLength(25)
  })

  it('is kept on all pages', async () => {
    const page = await kari.open(`${path}?type=PREFILL&q=-`)
    expect(linksOf(page)['Next']).toBe('?q=-&type=PREFILL&page=2')
  })
})

it('keeps refreshing a list that is shown while its first read is still being written', async () => {
  const { pool } = test.portal.database
  const checked = `organisation = 'partner/12345' and resource = 'productOrders' and key = ''`
  expect((await kari.open(path)).$('[data-reading]')).toHaveLength(0)
  await pool.query(`update sync_state set checked_at = null where ${checked}`)
  try {
    const page = await kari.open(path)
    expect(rowsOf(page)).toHaveLength(25)
    expect(page.$('[data-reading]').text()).toBe('Loading for the first time')
  } finally {
    await pool.query(`update sync_state set checked_at = now() where ${checked}`)
  }
})
