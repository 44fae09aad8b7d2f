import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FaultAnswer, FaultyRequest } from '../../demo/management-api/faults.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { organisationKey } from '../../src/domain/organisation.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { linesOf, readAll } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { oddRecords } from '../support/odd-values.ts'

const base = '/partners/34567'
const scheme = 'business:NO:ORG'

/** A number that is different for each record, with so many digits. */
function numbered(from: number) {
  let number = from
  return () => String((number += 1))
}

function uuidOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

/** The odd records of a resource, each with a key of its own in place of `KEY` and `OTHER`. */
function keyed(record: object, members: readonly string[], keyOf: (index: number) => string) {
  return oddRecords(record, members).map((odd, index) => {
    const key = keyOf(index)
    return { ...odd, key, json: odd.json.replaceAll('KEY', key) }
  })
}

const identifier = { scheme, id: '311900456' }
const nextMsn = numbered(500_000)
const nextMerchant = numbered(800_000_000)

const listRows = keyed({ msn: 'KEY', name: 'Kiosk', unknown: 'x' }, ['name', 'unknown'], nextMsn)
const merchants = keyed(
  {
    businessIdentifier: { scheme, id: 'KEY' },
    name: 'Kiosk AS',
    status: 'ACTIVE',
    createdAt: '2021-03-02T09:12:41Z',
    updatedAt: '2021-03-02T09:12:41Z',
    countryCode: 'NO',
    businessAddress: { lines: ['Storgata 1', 'x'], postCode: '0184', city: 'Oslo', countryCode: 'NO' },
    businessPostAddress: null,
  },
  [
    'name',
    'status',
    'createdAt',
    'updatedAt',
    'countryCode',
    'businessAddress',
    'businessPostAddress',
    ...['lines', 'lines.0', 'postCode', 'city', 'countryCode'].map((name) => `businessAddress.${name}`),
  ],
  nextMerchant,
)
const salesUnits = keyed(
  {
    msn: 'KEY',
    name: 'Kiosk',
    businessIdentifier: identifier,
    settlementBankAccount: { scheme: 'BBAN:NO', id: '86011117947' },
    configuration: { paymentAllowed: true, captureType: 'ReserveCapture', brandNew: 'x' },
  },
  [
    'name',
    'businessIdentifier',
    'settlementBankAccount',
    'configuration',
    ...['scheme', 'id'].flatMap((name) => [`businessIdentifier.${name}`, `settlementBankAccount.${name}`]),
    ...['paymentAllowed', 'captureType', 'brandNew'].map((name) => `configuration.${name}`),
  ],
  nextMsn,
)
const orders = keyed(
  {
    productOrderId: 'KEY',
    productOrderType: 'PREFILL',
    productType: 'CASHIER',
    status: 'RECEIVED',
    businessIdentifier: identifier,
    productOrderUrl: 'https://orders.example/x',
    salesUnit: { msn: '123456', name: 'Kiosk' },
  },
  [
    'productOrderType',
    'productType',
    'status',
    'businessIdentifier',
    'productOrderUrl',
    'salesUnit',
    'businessIdentifier.scheme',
    'businessIdentifier.id',
    'salesUnit.msn',
    'salesUnit.name',
  ],
  (index) => uuidOf(index),
)
const pricePackages = keyed(
  {
    pricePackageId: 'KEY',
    name: 'Basis',
    description: '2.99%',
    visibleInSignupForm: true,
    productType: 'CASHIER',
    market: 'NO',
    commission: '30 %',
  },
  ['name', 'description', 'visibleInSignupForm', 'productType', 'market', 'commission'],
  (index) => uuidOf(10_000 + index),
)
const templates = keyed(
  {
    templateId: 'KEY',
    name: 'Kasse',
    url: 'https://orders.example/t',
    productType: 'CASHIER',
    pricePackageId: uuidOf(10_000),
    lockedFields: ['name', 'x'],
    createdAt: '2021-03-02T09:12:41Z',
  },
  ['name', 'url', 'productType', 'pricePackageId', 'lockedFields', 'lockedFields.0', 'createdAt'],
  (index) => uuidOf(20_000 + index),
)
const webhooks = keyed(
  { id: 'KEY', url: 'https://hooks.example/x', events: ['epayments.payment.captured.v1', 'x'] },
  ['url', 'events', 'events.0'],
  (index) => uuidOf(30_000 + index),
)

/** Each merchant needs a sales unit that names it. */
const unitsOfMerchants = merchants.map(({ key }) => ({ msn: nextMsn(), merchant: key }))

const bodies = new Map<string, string>([
  ...salesUnits.map(({ key, json }) => [`/management/v1/sales-units/${key}`, json] as const),
  ...listRows.map(({ key }) => [`/management/v1/sales-units/${key}`, JSON.stringify({ msn: key })] as const),
  ...merchants.map(({ key, json }) => [`/management/v1/merchants/${scheme}/${key}`, json] as const),
  ...unitsOfMerchants.map(({ msn, merchant }) => {
    const unit = { msn, name: `Unit ${msn}`, businessIdentifier: { scheme, id: merchant }, configuration: {} }
    return [`/management/v1/sales-units/${msn}`, JSON.stringify(unit)] as const
  }),
  ...orders.map(({ key, json }) => [`/management/v2/product-orders/${key}/details`, json] as const),
  [
    '/management/v1/sales-units',
    listOf([
      ...listRows.map(({ json }) => json),
      ...[...salesUnits.map(({ key }) => key), ...unitsOfMerchants.map(({ msn }) => msn)].map(
        (msn) => `{"msn":${msn},"name":"Unit ${msn}"}`,
      ),
    ]),
  ],
  ['/management/v2/product-orders', listOf(orders.map(({ json }) => json))],
  ['/management/v1/partners/price-packages', listOf(pricePackages.map(({ json }) => json))],
  ['/management/v1/product-order-templates', listOf(templates.map(({ json }) => json))],
])

/** With a byte order mark: a short list has had one, too. */
function listOf(rows: readonly string[]): string {
  return `\uFEFF[${rows.join()}]`
}

let test: TestPortal
let liisa: Browser
beforeAll(async () => {
  const world = createDemoWorld({ salesUnits: 1 })
  // The override answers every organisation alike.
  world.organisations = world.organisations.filter(
    ({ organisation }) => organisationKey(organisation) === 'partner/34567',
  )
  test = await startTestPortal({ world, faults: { override: answerOf } })
  liisa = await test.signedIn('Liisa Korhonen')
})
afterAll(async () => test.stop())

function answerOf({ path, msn }: FaultyRequest): FaultAnswer | undefined {
  const plain = path.split('?')[0] ?? ''
  const isOwn = plain === '/webhooks/v1/webhooks' && msn === undefined
  const body = isOwn ? `{"webhooks":[${webhooks.map(({ json }) => json).join()}]}` : bodies.get(plain)
  return body === undefined ? undefined : { status: 200, headers: { 'content-type': 'application/json' }, body }
}

/** What no page may show, whatever the API sends. */
const technical = /\[object|undefined|\bnull\b|\bNaN\b|Invalid Date/

function expectPlain(visit: Visit, what: string): void {
  expect([what, visit.status]).toEqual([what, 200])
  expect([what, technical.exec(visit.words)?.[0]]).toEqual([what, undefined])
  expect([what, technical.exec(visit.$('title').text())?.[0]]).toEqual([what, undefined])
}

/** All pages of a list, which must be plain. */
async function listText(path: string): Promise<string> {
  const texts: string[] = []
  for (let page: string | undefined = `${base}${path}${path.includes('?') ? '&' : '?'}size=100`; page !== undefined;) {
    const visit = await liisa.open(page)
    expectPlain(visit, page)
    texts.push(visit.$('main').html() ?? '')
    const next = visit.$('main a[rel=next]').attr('href')
    page = next === undefined ? undefined : new URL(next, visit.url).pathname + new URL(next, visit.url).search
  }
  return texts.join('\n')
}

describe('a record with any value in any member', () => {
  it.each([
    ['sales unit', '/sales-units', [...listRows, ...salesUnits]],
    ['product order', '/product-orders', orders],
    ['price package', '/price-packages', pricePackages],
    ['template', '/templates', templates],
    ['webhook', '/developers/webhooks', webhooks],
  ])('is shown in its list: %s', async (_name, path, records) => {
    const shown = await listText(path)
    const missing = records.filter(({ key }) => !shown.includes(key))
    expect(missing.map(({ member, what }) => `${member}: ${what}`)).toEqual([])
    expect(shown).not.toContain('could not be loaded')
  })

  it.each([
    ['sales unit', '/sales-units/', [...listRows, ...salesUnits]],
    ['merchant', `/merchants/${scheme}/`, merchants],
    ['product order', '/product-orders/', orders],
  ])('is shown on its page: %s', async (_name, path, records) => {
    for (const { key, member, what } of records) {
      const visit = await liisa.open(`${base}${path}${key}`)
      expectPlain(visit, `${member}: ${what}`)
      expect([member, what, visit.words]).toEqual([
        member,
        what,
        expect.not.stringMatching(/has not been responding|out of date/),
      ])
    }
  })

  it('is found, and does not change in the history when it is read again', async () => {
    expectPlain(await liisa.open(base), 'landing')
    expectPlain(await liisa.open(`${base}/search?q=kiosk`), 'search')
    const before = await changes()
    await test.sync()
    expect(await changes()).toBe(before)
  })

  it('is kept raw', async () => {
    const { rows } = await test.portal.database.pool.query<{ kept: unknown }>(
      `select details #> '{_unread,businessAddress.lines[0]}' as kept from merchants where key = $1`,
      [
        `${scheme}/${merchants.find(({ member, what }) => member === 'businessAddress.lines.0' && what === 'an object')?.key}`,
      ],
    )
    expect(rows).toEqual([{ kept: { a: 1 } }])
  })

  it('names its member in the log, with the type of an example and never with its value', () => {
    const log = linesOf(test.log()).filter(({ msg }) => msg === 'upstream members unread')
    const ofOrders = log.filter(({ purpose }) => purpose === 'productOrders')
    expect(ofOrders).toHaveLength(1)
    expect(ofOrders[0]).toMatchObject({
      organisation: 'partner/34567',
      unread: { status: { rows: expect.any(Number), example: expect.stringMatching(/^(object|array|boolean|null)$/) } },
    })
    expect(JSON.stringify(log)).not.toContain('long long')
  })
})

async function changes(): Promise<number> {
  const { rows } = await test.portal.database.pool.query<{ count: number }>(
    `select count(*)::int as count from changes where organisation = 'partner/34567'`,
  )
  return rows[0]?.count ?? -1
}

it('a row is skipped only when its key cannot be read', async () => {
  const rows = oddRecords({ pricePackageId: 'good', name: 'Basis' }, ['pricePackageId']).map(({ json }) => json)
  bodies.set('/management/v1/partners/price-packages', listOf([...rows, '7', 'null', '[]']))
  await test.sync()
  const pages = await readAll(liisa, `${base}/price-packages`)
  // 0, -1.5 and x are identifiers; doubled, the last one counts.
  const ids = pages.flat().map((row) => row.at(-1)?.split(' ')[0])
  expect(new Set(ids)).toEqual(new Set(['-1.5', '0', 'good', 'x']))
  expect(ids).toHaveLength(4)
})
