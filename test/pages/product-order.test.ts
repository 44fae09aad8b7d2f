import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DemoProductOrder } from '../../demo/world/types.ts'
import { messages } from '../support/messages.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { factsOf, wordsOf, writtenIdentifier, shownDate } from '../support/page-content.ts'

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

type Order = DemoProductOrder['body']
function ordersOf(wanted: (order: Order) => boolean): Order[] {
  return test.world.productOrders
    .filter(({ partnerId }) => partnerId === '12345')
    .map(({ body }) => body)
    .filter(wanted)
}

function orderWhere(wanted: (order: Order) => boolean): Order {
  const [order] = ordersOf(wanted)
  if (!order) throw new Error('no such order')
  return order
}

function pathOf({ productOrderId }: Order): string {
  return `/partners/12345/product-orders/${productOrderId}`
}

const final = new Set(['COMPLETED', 'REJECTED', 'EXPIRED'])

describe('a product order', () => {
  it.each(['RECEIVED', 'MERCHANT_VIEWED', 'ORDER_SUBMITTED', 'COMPLETED', 'REJECTED', 'EXPIRED'] as const)(
    'with status %s explains it and what happens next',
    async (status) => {
      const page = await kari.open(pathOf(orderWhere((order) => order.status === status)))
      const { name, meaning, next } = messages.orderStatus[status]
      expect(wordsOf(page.$('#status'))).toBe(`Status ${name}`)
      expect(factsOf(page)).toMatchObject({ 'What this means': meaning, 'What happens next': next })
    },
  )

  it('with an unknown status shows it unchanged and says that it is newer than the portal', async () => {
    const page = await kari.open(pathOf(orderWhere(({ status }) => status === 'ON_HOLD')))
    expect(wordsOf(page.$('#status'))).toBe('Status ON_HOLD')
    expect(factsOf(page)).toMatchObject({
      'What this means': 'This status is newer than this portal. It is shown as the API gives it.',
      'What happens next': 'Ask your partner manager what it means.',
    })
  })

  it('with status "unknown" is shown as an unknown status, not by the message key of that name', async () => {
    const order = orderWhere(({ status, productType }) => status === 'REJECTED' && productType === 'LOGIN')
    order.status = 'unknown'
    await test.sync()
    const page = await kari.open(pathOf(order))
    expect(wordsOf(page.$('#status'))).toBe('Status unknown')
    expect(page.words).toContain('This status is newer than this portal.')
  })

  it('shows every field of every order', async () => {
    const products: Record<string, string> = messages.productType
    const types: Record<string, string> = messages.orderType
    const explained: Record<'product' | 'type', Record<string, string>> = {
      product: messages.productTypeText,
      type: messages.orderTypeText,
    }
    const said = (names: Record<string, string>, texts: Record<string, string>, value: string): string =>
      [names[value] ?? value, texts[value]].filter(Boolean).join(' ')
    for (const order of ordersOf(({ status }) => status !== 'unknown')) {
      const page = await kari.open(pathOf(order))
      const facts = factsOf(page)
      const { scheme } = order.businessIdentifier
      expect(facts).toMatchObject({
        'Order ID': order.productOrderId,
        Product: said(products, explained.product, order.productType),
        'How it was made': said(types, explained.type, order.productOrderType),
        'Sales unit': order.salesUnit
          ? `${order.salesUnit.name} ${order.salesUnit.msn}`
          : messages.productOrder.noSalesUnit,
      })
      expect(facts['Business identifier']).toMatch(
        new RegExp(`^${writtenIdentifier(order.businessIdentifier)} ${scheme}`),
      )
      expect(facts['Link for the merchant']?.split(' ')[0]).toBe(
        final.has(order.status) ? undefined : (order.productOrderUrl ?? undefined),
      )
      expect(page.words).toContain('The API gives no dates.')
    }
  })

  it('shows its expiry date when it is prefilled and waiting, and otherwise none', async () => {
    for (const order of ordersOf(({ status }) => status !== 'unknown')) {
      const expires = factsOf(await kari.open(pathOf(order)))['Expires']
      const waits = order.productOrderType === 'PREFILL' && ['RECEIVED', 'MERCHANT_VIEWED'].includes(order.status)
      // Every order was first seen when the test began.
      const [today, by] = [0, 14].map((days) => shownDate(new Date(Date.now() + days * 86_400_000)))
      expect(expires).toBe(
        waits
          ? `By ${by} at the latest, unless the merchant submits it 14 days after it was made. The API does not tell when that was; the portal first saw it on ${today}.`
          : undefined,
      )
    }
  })

  it('is named in the title, with its partner', async () => {
    const order = orderWhere(({ status }) => status === 'COMPLETED')
    const { $ } = await kari.open(pathOf(order))
    expect($('title').text()).toMatch(/^Product order – .+ – Nordlys Platform AS – Partner portal$/)
    expect($('title').text()).not.toContain('undefined')
  })

  it('shows an unknown product type unchanged', async () => {
    const page = await kari.open(pathOf(orderWhere(({ productType }) => productType === 'GIFT_CARDS')))
    expect(factsOf(page)['Product']).toBe('GIFT_CARDS')
  })

  it('shows its link only when it is valid and an http(s) URL', async () => {
    const expired = orderWhere(({ status, productType }) => status === 'EXPIRED' && productType === 'CASHIER')
    expired.productOrderUrl = 'https://orders.example.com/order/dead'
    const [dangerous, received] = ordersOf(({ status }) => status === 'MERCHANT_VIEWED')
    if (!dangerous || !received) throw new Error('too few orders')
    dangerous.productOrderUrl = 'javascript:alert(1)'
    await test.sync()
    for (const order of [expired, dangerous]) {
      const page = await kari.open(pathOf(order))
      expect(page.status).toBe(200)
      expect(factsOf(page)['Link for the merchant']).toBeUndefined()
      expect(page.text).not.toContain('javascript:')
      // The history may show the URL as text, but not as a link or a copy button.
      const targets = page
        .$('main [href], main [data-copy]')
        .toArray()
        .map((element) => String(page.$(element).attr('href') ?? page.$(element).attr('data-copy')))
      expect(targets.filter((offer) => /orders\.example\.com|javascript:/.test(offer))).toEqual([])
    }
    const page = await kari.open(pathOf(received))
    expect(page.$(`button[data-copy="${received.productOrderUrl}"]`)).toHaveLength(1)
  })

  it('links to its sales unit and back to the list', async () => {
    const order = orderWhere(({ status }) => status === 'COMPLETED')
    await kari.open(pathOf(order))
    const unit = await kari.follow(order.salesUnit?.name ?? '')
    expect([unit.status, unit.$('h1').text()]).toEqual([200, order.salesUnit?.name])
    const page = await kari.open(pathOf(order))
    expect(page.$('nav.crumbs a').attr('href')).toBe('/partners/12345/product-orders')
  })

  it('is found by its ID in capital letters too', async () => {
    const order = orderWhere(({ status }) => status === 'RECEIVED')
    const page = await kari.open(pathOf(order).toUpperCase().replace('/PARTNERS', '/partners'))
    expect([page.status, factsOf(page)['Order ID']]).toEqual([200, order.productOrderId])
  })
})

it('the 404 page explains an order that is not shared', async () => {
  const foreign = test.world.productOrders.find(({ partnerId }) => partnerId === '23456')?.body
  if (!foreign) throw new Error('no such order')
  const page = await kari.open(pathOf(foreign))
  expect(page.status).toBe(404)
  expect(page.words).toContain('This product order is not shared with you')
  for (const reason of Object.values(messages.errors.productOrderNotShared.reasons))
    expect(page.words).toContain(reason)
})

it('the 410 page of a removed order says until when it was visible, and the possible reasons', async () => {
  const at = test.world.productOrders.findIndex(({ partnerId }) => partnerId === '12345')
  const [order] = test.world.productOrders.splice(at, 1)
  if (!order) throw new Error('no order')
  await test.sync()
  const page = await kari.open(pathOf(order.body))
  expect(page.status).toBe(410)
  expect(page.$('h1').text()).toMatch(/^The product order of .+ is no longer shared with you$/)
  expect(page.words).toContain(`You could see it until ${shownDate(new Date())}`)
  expect(page.words).toContain(order.body.productOrderId)
  expect(page.words).toContain(messages.errors.productOrderNotShared.reasons.otherPartner)
  expect(page.words).not.toContain(messages.errors.productOrderNotShared.reasons.typo)
})
