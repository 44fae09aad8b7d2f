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

function current({ status }: Order): boolean {
  return status !== 'EXPIRED'
}

function rowOf({
  businessIdentifier,
  status,
  productType,
  productOrderType,
  salesUnit,
  productOrderId,
}: Order): string[] {
  return [
    [merchantOf(productOrderId), writtenIdentifier(businessIdentifier)].filter(Boolean).join(' '),
    statuses[status]?.name ?? status,
    products[productType] ?? productType,
    types[productOrderType] ?? productOrderType,
    salesUnit ? `${salesUnit.name} ${salesUnit.msn}` : '',
    today,
  ]
}

describe('the list', () => {
  it('shows every order of the partner except the expired ones, in all columns', async () => {
    const pages = await readAll(kari, path)
    expect(pages.map(({ length }) => length)).toEqual([25, 8])
    expect(inOrder(pages.flat())).toEqual(inOrder(ordersOf('12345', current).map(rowOf)))
    const page = await kari.open(path)
    expect(headingsOf(page)).toEqual(['Merchant', 'Status', 'Product', 'How it was made', 'Sales unit', 'First seen'])
    expect(page.words).toContain('33 product orders')
    expect(page.words).toContain('1–25 of 33')
  })

  it('sorts pending orders first', async () => {
    const inTurn = (await readRows(kari, path)).map((row) => row[1])
    expect([...new Set(inTurn)]).toEqual([
      'Submitted',
      'Viewed by merchant',
      'Received',
      'Completed',
      'Rejected',
      'ON_HOLD',
    ])
    expect(inTurn).toEqual(inTurn.toSorted((a, b) => inTurn.indexOf(a) - inTurn.indexOf(b) || (a === b ? 0 : 1)))
  })

  it('shows the expired orders on request, on all pages', async () => {
    expect(inOrder(await readRows(kari, `${path}?expired=1`))).toEqual(inOrder(ordersOf('12345').map(rowOf)))
    const page = await kari.open(`${path}?expired=1`)
    expect(page.words).toContain('38 product orders')
    expect(linksOf(page)['Next']).toBe('?expired=1&page=2')
    expect(page.$('#expired').is('[checked]')).toBe(true)
  })

  it('shows another partner its own orders', async () => {
    const åse = await test.signedIn('Åse Bjørk')
    const rows = await readRows(åse, '/partners/23456/product-orders?expired=1')
    expect(rows).toHaveLength(60)
    expect(inOrder(rows)).toEqual(inOrder(ordersOf('23456').map(rowOf)))
  })

  it('explains what may be shown and why an order can be missing', async () => {
    const { words: said } = await kari.open(path)
    expect(said).toContain('What may be shown here')
    expect(said).toContain('Why an order was rejected is never shared with a partner')
    expect(said).toContain("I can't see product order X")
    expect(said).toContain('An order that the merchant made without naming you is not visible')
  })

  it('links each row to its order, and a completed order to its sales unit', async () => {
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
    for (const { productOrderId, salesUnit } of ordersOf('12345', ({ status }) => status === 'COMPLETED')) {
      expect(hrefs).toContain(`${path}/${productOrderId}`)
      expect(hrefs).toContain(`/partners/12345/sales-units/${salesUnit?.msn}`)
    }
  })

  it('explains itself to a partner without orders', async () => {
    const liisa = await test.signedIn('Liisa Korhonen')
    const page = await liisa.open('/partners/34567/product-orders')
    expect(page.words).toContain('No product orders yet')
    expect(page.$('main table, main .tools, main .status-tabs, main .download')).toHaveLength(0)
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
  const counted = (wanted: (order: Order) => boolean) => {
    const orders = ordersOf('12345', wanted)
    return (status: string) => orders.filter((order) => order.status === status).length
  }
  const statusOrder = ['ORDER_SUBMITTED', 'MERCHANT_VIEWED', 'RECEIVED', 'COMPLETED', 'REJECTED', 'EXPIRED', 'ON_HOLD']

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
  ])('show the count of each status for the filter "%s"', async (query, wanted) => {
    const page = await kari.open(`${path}?${query}`)
    const count = counted(wanted)
    const all = statusOrder.filter((status) => status !== 'EXPIRED').reduce((sum, status) => sum + count(status), 0)
    expect(tabsOf(page).map(({ name, count: says }) => [name, says])).toEqual([
      ['All', all],
      ...statusOrder.map((status) => [statuses[status]?.name ?? status, count(status)]),
    ])
    for (const { name, href, count: says } of tabsOf(page)) {
      if (name === 'All') continue
      const rows = await readRows(kari, new URL(String(href), page.url).href)
      expect([name, rows.length]).toEqual([name, says])
    }
  })

  it('keep the filter, and the filter keeps the tab', async () => {
    const page = await kari.open(`${path}?type=PREFILL&status=RECEIVED`)
    expect(tabsOf(page).find(({ name }) => name === 'Submitted')?.href).toBe('?status=ORDER_SUBMITTED&type=PREFILL')
    expect(page.$('input[type=hidden][form=filter][name=status]').val()).toBe('RECEIVED')
    expect(chipsOf(page)).toEqual({
      'Status: Received': '?type=PREFILL',
      'How it was made: API prefill': '?status=RECEIVED',
    })
  })
})

describe('the filter', () => {
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
    'expired=1&type=PREFILL&product=CASHIER',
  ])('filters by %s', async (query) => {
    const asked = Object.fromEntries(new URLSearchParams(query))
    const expected = ordersOf(
      '12345',
      (order) =>
        (current(order) || asked['expired'] === '1') &&
        [order.status, undefined].includes(asked['status']) &&
        [order.productOrderType, undefined].includes(asked['type']) &&
        [order.productType, undefined].includes(asked['product']),
    )
    expect(expected.length).toBeGreaterThan(0)
    expect(inOrder(await readRows(kari, `${path}?${query}`))).toEqual(inOrder(expected.map(rowOf)))
    const page = await kari.open(`${path}?${query}`)
    const total = asked['expired'] ? 38 : 33
    expect(page.words).toContain(`${expected.length} of ${total} product orders`)
    for (const choice of ['type', 'product'])
      expect(page.$(`#${choice} [checked]`).val() || undefined).toBe(asked[choice])
    expect(tabsOf(page).filter((tab) => tab.current)).toMatchObject([
      { name: asked['status'] ? (statuses[asked['status']]?.name ?? asked['status']) : 'All' },
    ])
  })

  it('shows expired orders for status=EXPIRED', async () => {
    const expected = ordersOf('12345', (order) => !current(order)).map(rowOf)
    expect(inOrder(await readRows(kari, `${path}?status=EXPIRED`))).toEqual(inOrder(expected))
    expect(expected).toHaveLength(5)
  })

  it('lists every documented value and unknown ones, with a label where there is one', async () => {
    const page = await kari.open(path)
    const optionsOf = (choice: string) =>
      page
        .$(`#${choice} label`)
        .toArray()
        .map((option) => page.$(option).text().trim())
    expect(tabsOf(page).map(({ name }) => name)).toEqual([
      'All',
      'Submitted',
      'Viewed by merchant',
      'Received',
      'Completed',
      'Rejected',
      'Expired',
      'ON_HOLD',
    ])
    expect(optionsOf('type')).toEqual(['All', 'API prefill', 'Template', 'By hand'])
    expect(optionsOf('product')).toEqual(['All', ...Object.values(products), 'GIFT_CARDS'])
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
      expect(rows.map(([first]) => first?.replace(`${merchant}`, '').trim())).toContain(
        writtenIdentifier({ scheme, id }),
      )
      expect(rows.map((row) => row[4])).toContain(`${order?.salesUnit?.name} ${order?.salesUnit?.msn}`)
    }
  })

  it('says that nothing matches, and can be cleared', async () => {
    const page = await kari.open(`${path}?q=nothing&status=RECEIVED`)
    expect(page.words).toContain('No product order matches “nothing”')
    expect(page.words).toContain('0 of 33 product orders match “nothing”')
    expect(rowsOf(await kari.follow('Clear the filter'))).toHaveLength(25)
  })

  it('is kept on all pages', async () => {
    const page = await kari.open(`${path}?type=PREFILL&q=e`)
    expect(linksOf(page)['Next']).toBe('?q=e&type=PREFILL&page=2')
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
    expect(page.$('[data-reading]').text()).toBe('Being read for the first time')
  } finally {
    await pool.query(`update sync_state set checked_at = now() where ${checked}`)
  }
})
