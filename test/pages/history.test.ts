import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Browser } from '../support/browser.ts'
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
  expect(all).toContain('Capture: Reserve, capture later → Direct capture')
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
  expect(shown).toContain('Sales unit: (empty) → 123999, New one')
  expect(shown).not.toContain('private-contact')
  expect((await developer.open(path)).$('ol.history').text()).toContain('private-contact')
})
