import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DemoProductOrder } from '../../demo/world/types.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { wordsOf } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const page = '/partners/12345/sales-units/123456'

let test: TestPortal
let developer: Browser
let viewer: Browser
beforeAll(async () => {
  test = await startTestPortal()
  developer = await test.signedIn('Kari Nordmann')
  viewer = await test.signedIn('Nora Lie')
})
afterAll(async () => test.stop())

/** The sentences of a history, with ** around what is emphasised, newest first; those of one time are one text. */
function sentencesOf({ $ }: Visit): string[] {
  const list = $('ol.history').clone()
  list.find('strong').each((_, value) => void $(value).text(`**${$(value).text()}**`))
  return list
    .find('li')
    .toArray()
    .map((entry) =>
      $(entry)
        .find('p')
        .toArray()
        .map((sentence) => wordsOf($(sentence)))
        .join(' / '),
    )
}

function orderWhere(wanted: (order: DemoProductOrder['body']) => boolean): DemoProductOrder['body'] {
  const order = test.world.productOrders.find(({ partnerId, body }) => partnerId === '12345' && wanted(body))
  if (!order) throw new Error('no such order')
  return order.body
}

function pathOf({ productOrderId }: DemoProductOrder['body']): string {
  return `/partners/12345/product-orders/${productOrderId}`
}

const nb = { headers: { 'Accept-Language': 'nb' } }

/** Changes the sales unit at the API, and waits until the portal has read it. */
async function change(members: Readonly<Record<string, unknown>>): Promise<void> {
  const unit = test.world.salesUnits.find(({ body }) => body.msn === '123456')
  if (!unit) throw new Error('no sales unit 123456')
  Object.assign(unit.body, members)
  await test.sync()
}

async function historyFor(browser: Browser): Promise<string[]> {
  const shown = await browser.open(page)
  return shown
    .$('ol.history li')
    .toArray()
    .map((entry) => wordsOf(shown.$(entry)))
}

it('a viewer sees changes of known members only, a developer sees all of them', async () => {
  await change({
    name: 'Renamed',
    settlementBankAccount: { scheme: 'BBAN:NO', id: '99990000001' },
    ownerName: 'Private Owner',
    configuration: { paymentAllowed: true, captureType: 'DirectCapture', riskNote: 'private-note' },
  })
  const entries = await historyFor(viewer)
  // The list and the details are read one after the other, each with a change of its own.
  const all = entries.join('\n')
  expect(all).toContain('Renamed')
  expect(all).toContain('The setting “Capture” changed from Reserve, capture later to Direct capture')
  expect(all).not.toContain('{')
  expect((await viewer.open(page)).$('ol.history').text()).not.toMatch(
    /9999.?00.?00001|settlement|ownerName|Private Owner|riskNote|private-note/i,
  )
  expect(entries.at(-1)).toContain('First seen')

  const whole = (await historyFor(developer)).join('\n')
  for (const text of ['Renamed', '9999 00 00001', 'ownerName', 'Private Owner', 'riskNote', 'private-note'])
    expect(whole).toContain(text)
})

it('a change of unknown members only is no entry for a viewer', async () => {
  const [before, all] = [await historyFor(viewer), await historyFor(developer)]
  await change({ ownerName: 'Another Person' })
  expect(await historyFor(viewer)).toEqual(before)
  expect((await historyFor(developer)).length).toBe(all.length + 1)
})

it('unknown members below a known one are left out', async () => {
  const { kysely } = test.portal.database
  const order = await kysely
    .selectFrom('product_orders')
    .select('key')
    .where('organisation', '=', 'partner/12345')
    .where('removed_at', 'is', null)
    .orderBy('key')
    .executeTakeFirstOrThrow()
  await kysely
    .insertInto('changes')
    .values({
      organisation: 'partner/12345',
      at: new Date(),
      resource: 'productOrder',
      key: order.key,
      kind: 'changed',
      fields: JSON.stringify({ salesUnit: [null, { msn: '123999', name: 'New one', contact: 'private-contact' }] }),
    })
    .execute()
  const path = `/partners/12345/product-orders/${order.key}`
  const shown = (await viewer.open(path)).$('ol.history').text()
  expect(shown).toContain('The sales unit became known: 123999, New one')
  expect(shown).not.toContain('private-contact')
  expect((await developer.open(path)).$('ol.history').text()).toContain('private-contact')
})

describe('the history of a product order', () => {
  it('tells how a prefilled one was first seen, and its statuses, newest first', async () => {
    const known = new Set(test.world.salesUnits.map(({ body }) => body.businessIdentifier.id))
    const order = orderWhere(
      ({ status, productOrderUrl, businessIdentifier }) =>
        status === 'RECEIVED' && Boolean(productOrderUrl) && !known.has(businessIdentifier.id),
    )
    order.status = 'MERCHANT_VIEWED'
    await test.sync()
    order.status = 'COMPLETED'
    order.salesUnit = { msn: '123999', name: 'New one' }
    await test.sync()
    order.status = 'ON_HOLD'
    await test.sync()
    expect(sentencesOf(await developer.open(pathOf(order)))).toEqual([
      'The status changed from **Completed** to **On hold (ON_HOLD)**',
      'The order was completed: from **Viewed by merchant** to **Completed** / The sales unit became known: **123999, New one**',
      'The merchant viewed the order: from **Not opened yet** to **Viewed by merchant**',
      'First seen, as **Not opened yet**, with a link for the merchant',
    ])
    expect(sentencesOf(await viewer.open(pathOf(order), nb))).toEqual([
      'Statusen ble endret fra **Fullført** til **On hold (ON_HOLD)**',
      'Bestillingen ble fullført: fra **Åpnet av kunden** til **Fullført** / Salgsstedet ble kjent: **123999, New one**',
      'Kunden åpnet bestillingen: fra **Ikke åpnet ennå** til **Åpnet av kunden**',
      'Sett første gang, som **Ikke åpnet ennå**, med en lenke til kunden',
    ])
  })

  it('calls one from a template received, and keeps a link that is gone', async () => {
    const template = orderWhere(
      ({ status, productOrderType }) => status === 'RECEIVED' && productOrderType === 'TEMPLATE',
    )
    expect(sentencesOf(await developer.open(pathOf(template))).at(-1)).toBe('First seen, as **Received**')
    const viewed = orderWhere(({ status }) => status === 'MERCHANT_VIEWED')
    const { productOrderUrl } = viewed
    viewed.productOrderUrl = null
    await test.sync()
    const sentences = sentencesOf(await developer.open(pathOf(viewed)))
    expect(sentences[0]).toBe(`The link for the merchant is no longer provided; it was **${productOrderUrl}**`)
    expect(sentences.at(-1)).toBe('First seen, as **Viewed by merchant**, with a link for the merchant')
  })

  it('tells when the portal first saw its merchant, and so its name', async () => {
    const order = orderWhere(({ businessIdentifier }) => businessIdentifier.id === '311900456')
    const firstSeen = async (at: Date): Promise<string[]> => {
      await test.portal.database.kysely.updateTable('product_orders').set({ first_seen_at: at }).execute()
      return sentencesOf(await viewer.open(pathOf(order)))
    }
    const named = 'The merchant’s name became known: **ACME Fantastic Fitness AS**'
    expect(await firstSeen(new Date(Date.now() - 86_400_000))).toContain(named)
    expect(await firstSeen(new Date())).not.toContain(named)
  })
})

it('says of each field that it changed, became known or is gone', async () => {
  const found = test.world.merchants.find(({ body }) => body.businessIdentifier.id === '311900456')
  if (!found) throw new Error('no such merchant')
  Object.assign(found.body, { name: 'ACME AS', website: [{ url: 'acme.example' }], businessAddress: null })
  await test.sync()
  const path = '/partners/12345/merchants/business:NO:ORG/311900456'
  const [newest, oldest] = sentencesOf(await developer.open(path))
  const sentences = newest?.split(' / ') ?? []
  expect(sentences).toContain('The name changed from **ACME Fantastic Fitness AS** to **ACME AS**')
  expect(sentences).toContain('website became known: **url: acme.example**')
  expect(sentences).toContain('The business address is no longer provided; it was **Storgata 12, 0184 Oslo, Norway**')
  expect(oldest).toBe('First seen')
  const [norwegian] = sentencesOf(await developer.open(path, nb))
  expect(norwegian).toContain('Navnet ble endret fra **ACME Fantastic Fitness AS** til **ACME AS**')
  expect(norwegian).toMatch(/Forretningsadressen er ikke lenger oppgitt, men var \*\*/)
})

it('says when a record was away, and has earlier times with their date and zone', async () => {
  const unit = test.world.salesUnits.find(({ body }) => body.msn === '123456')
  if (!unit) throw new Error('no such sales unit')
  unit.active = false
  await test.sync()
  unit.active = true
  await test.sync()
  const at = new Date('2026-01-15T10:05:30Z')
  await test.portal.database.kysely
    .insertInto('changes')
    .values({
      organisation: 'partner/12345',
      at,
      moment: at,
      resource: 'salesUnit',
      key: '123456',
      kind: 'changed',
      fields: JSON.stringify({ name: ['Old', 'Older'], salesUnit: [null, {}] }),
    })
    .execute()
  const shown = await developer.open(page)
  expect(sentencesOf(shown).slice(0, 2)).toEqual(['Became available again', 'Became unavailable'])
  expect(sentencesOf(shown).at(-1)).toBe('The name changed from **Old** to **Older**')
  const times = shown.$('ol.history time')
  expect(times.first().text()).toMatch(/^Today, \d\d:\d\d$/)
  expect([times.last().text(), times.last().attr('datetime')]).toEqual(['15 Jan 2026, 11:05 CET', at.toISOString()])
  expect((await developer.open(page, nb)).$('ol.history time').last().text()).toBe('15. jan. 2026, 11:05')
  expect(wordsOf(shown.$('#history').parent())).toBe('History As this portal saw it')
})
