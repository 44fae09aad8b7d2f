import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DemoProductOrder } from '../../demo/world/types.ts'
import { messages } from '../support/messages.ts'
import type { Browser, Visit } from '../support/browser.ts'
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
      const { name, meaning, next } = messages.orderStatus[status === 'RECEIVED' ? 'NOT_OPENED' : status]
      expect(wordsOf(page.$('h1 .status'))).toBe(name)
      // Orders that wait for their merchant were first seen when the test began.
      const date = shownDate(new Date(Date.now() + 14 * 86_400_000), 'long')
      const waits = ['RECEIVED', 'MERCHANT_VIEWED'].includes(status)
      const then = waits ? messages.reminder.until.replace('{{date}}', date) : next
      expect(wordsOf(page.$('.next .what p'))).toBe(`${meaning} ${then}`.replace('{{service}}', 'Vipps MobilePay'))
    },
  )

  it('with an unknown status shows it unchanged and says that it is newer than the portal', async () => {
    const page = await kari.open(pathOf(orderWhere(({ status }) => status === 'ON_HOLD')))
    expect(wordsOf(page.$('h1 .status'))).toBe('On hold (ON_HOLD)')
    expect(wordsOf(page.$('.next .what p'))).toBe(
      'This status is newer than the portal. It is shown as the API returns it. Ask your partner manager what it means.',
    )
  })

  it('with status "unknown" is shown as an unknown status, not by the message key of that name', async () => {
    const order = orderWhere(({ status, productType }) => status === 'REJECTED' && productType === 'LOGIN')
    order.status = 'unknown'
    await test.sync()
    const page = await kari.open(pathOf(order))
    expect(wordsOf(page.$('h1 .status'))).toBe('unknown')
    expect(page.words).toContain('This status is newer than the portal.')
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
      expect(facts).toMatchObject({
        'Order ID': order.productOrderId,
        Product:
          order.productType === 'GIFT_CARDS'
            ? 'Gift cards (GIFT_CARDS)'
            : said(products, explained.product, order.productType),
        'Created via': said(types, explained.type, order.productOrderType),
        'Sales unit': order.salesUnit
          ? `${order.salesUnit.name} ${order.salesUnit.msn}`
          : messages.productOrder.noSalesUnit,
      })
      const identifier = writtenIdentifier(order.businessIdentifier)
      expect(facts['Merchant']?.endsWith(identifier)).toBe(true)
      expect(wordsOf(page.$('.title .copying'))).toBe(identifier)
      const link = wordsOf(page.$('.next').find('.link code, blockquote')).split(' ').at(-1)
      expect(link).toBe(final.has(order.status) ? '' : (order.productOrderUrl ?? ''))
      expect(page.words).toContain('The API gives no dates.')
    }
  })

  it('shows its expiry date when it is prefilled and waiting, and otherwise none', async () => {
    for (const order of ordersOf(({ status }) => status !== 'unknown')) {
      const expires = factsOf(await kari.open(pathOf(order)))['Expires']
      const waits = order.productOrderType === 'PREFILL' && ['RECEIVED', 'MERCHANT_VIEWED'].includes(order.status)
      // Every order was first seen when the test began.
      const [today, by] = [0, 14].map((days) => shownDate(new Date(Date.now() + days * 86_400_000), 'long'))
      expect(expires).toBe(
        waits
          ? `By ${by} at the latest, unless the merchant submits it 14 days after it was created. The API does not say when that was. The portal first saw it on ${today}.`
          : undefined,
      )
    }
  })

  it('is named in the title, with its partner', async () => {
    const order = orderWhere(({ status }) => status === 'COMPLETED')
    const { $ } = await kari.open(pathOf(order))
    expect($('title').text()).toMatch(/^\S.* for .+ – Nordlys Platform AS – Partner portal$/)
    expect($('title').text()).not.toContain('undefined')
  })

  it('shows an unknown product type unchanged', async () => {
    const page = await kari.open(pathOf(orderWhere(({ productType }) => productType === 'GIFT_CARDS')))
    expect(factsOf(page)['Product']).toBe('Gift cards (GIFT_CARDS)')
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
      expect(page.$('.next .link')).toHaveLength(0)
      expect(page.text).not.toContain('javascript:')
      // The history may show the URL as text, but not as a link or a copy button.
      const targets = page
        .$('main [href], main [data-copy]')
        .toArray()
        .map((element) => String(page.$(element).attr('href') ?? page.$(element).attr('data-copy')))
      expect(targets.filter((offer) => /orders\.example\.com|javascript:/.test(offer))).toEqual([])
    }
    const page = await kari.open(pathOf(received))
    expect(wordsOf(page.$(`button[data-copy="${received.productOrderUrl}"] .live-text`))).toBe('Copy link')
  })

  it('names what it is for and for which merchant, and shows its steps', async () => {
    const completed = orderWhere((order) => order.status === 'COMPLETED' && order.productOrderType === 'PREFILL')
    const page = await kari.open(pathOf(completed))
    expect(page.$('h1').text()).toContain(' for ')
    const stepsOf = ({ $ }: Visit) =>
      $('.course li')
        .toArray()
        .map((step) => [$(step).attr('data-state'), wordsOf($(step).find('strong'))])
    expect(stepsOf(page)).toEqual([
      ['done', 'Received'],
      ['done', 'Viewed'],
      ['done', 'Submitted'],
      ['done', 'Completed'],
    ])
    // The order was completed before the portal saw it first.
    expect(wordsOf(page.$('.course li').last())).toMatch(/^Completed Today, \d\d:\d\d or earlier$/)
    const viewed = orderWhere((order) => order.status === 'MERCHANT_VIEWED')
    const waiting = await kari.open(pathOf(viewed))
    expect(stepsOf(waiting).map(([state]) => state)).toEqual(['done', 'done', 'current', 'ahead'])
    expect(wordsOf(waiting.$('.course [aria-current=step]'))).toMatch(/^Submitted 14 days left, until \d+ \w+$/)
    const manual = orderWhere((order) => order.status === 'REJECTED' && order.productOrderType === 'MANUAL')
    expect(stepsOf(await kari.open(pathOf(manual)))).toEqual([
      ['done', 'Received'],
      ['ended', 'Rejected'],
    ])
  })

  it('has a reminder in the language of the merchant’s country while it waits', async () => {
    const words: Record<string, RegExp> = {
      NO: /^Hei! Bestillingen «.+» for .+ senest \d+\. \S+ \d{4}: http/,
      DK: /^Hej! Bestillingen ”.+” for .+ senest den \d+\. \S+ \d{4}: http/,
      FI: /^Hei! Tilaus on valmis.+ viimeistään \d+\. \S+ \d{4}: http/,
    }
    const waiting = ordersOf(
      ({ status, productOrderType, productOrderUrl }) =>
        ['RECEIVED', 'MERCHANT_VIEWED'].includes(status) &&
        productOrderType === 'PREFILL' &&
        productOrderUrl?.startsWith('https:') === true,
    )
    for (const order of waiting) {
      const page = await kari.open(pathOf(order))
      const text = wordsOf(page.$('.reminder blockquote'))
      expect(text).toMatch(words[order.businessIdentifier.scheme.split(':')[1] ?? ''] ?? /^$/)
      // One primary button; both are there for who has JavaScript.
      const buttons = page.$('.next .actions button').toArray()
      expect(buttons.map((button) => [page.$(button).text(), page.$(button).attr('data-variant')])).toEqual([
        ['Copy link', 'primary'],
        ['Copy reminder', 'secondary'],
      ])
      expect(page.$('.next [hidden]')).toHaveLength(0)
      const [link, reminder] = buttons.map((button) => page.$(button).attr('data-copy'))
      expect(link).toBe(order.productOrderUrl)
      const copied = String(reminder)
      expect(copied.replace(/\s+/g, ' ')).toBe(text)
      expect(copied.endsWith(`\n${order.productOrderUrl}`)).toBe(true)
    }
    const done = await kari.open(pathOf(orderWhere((order) => order.status === 'COMPLETED')))
    expect(done.$('.reminder')).toHaveLength(0)
  })

  it('has the merchant’s other orders and sales units, and its history beside the details', async () => {
    const [order] = ordersOf(({ businessIdentifier }) => businessIdentifier.id === '311900456')
    if (!order) throw new Error('no such order')
    const page = await kari.open(pathOf(order))
    const sections = page.$('main section > h2, main .related-title > h2').toArray()
    expect(sections.map((heading) => page.$(heading).text())).toEqual([
      'Details',
      'History',
      'The merchant’s other orders',
      'The merchant’s sales units',
    ])
    expect(page.$('section[aria-labelledby=units] tbody a').first().attr('href')).toMatch(/\/sales-units\/\d+$/)
    expect(page.$('main details.faq').nextAll()).toHaveLength(0)
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
  expect(page.words).toContain('You do not have access to this product order')
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
  expect(page.words).toContain(`You could see it until ${shownDate(new Date(), 'long')}`)
  expect(page.words).toContain(order.body.productOrderId)
  expect(page.words).toContain(messages.errors.productOrderNotShared.reasons.otherPartner)
  expect(page.words).not.toContain(messages.errors.productOrderNotShared.reasons.typo)
})
