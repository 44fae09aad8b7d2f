import { afterAll, beforeAll, expect, it } from 'vitest'
import { messages } from '../support/messages.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { headingsOf, inOrder, rowsOf } from '../support/page-content.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal()
})
afterAll(async () => test.stop())

const countries = { NO: 'Norway', DK: 'Denmark', FI: 'Finland' }
const products: Record<string, string> = messages.productType

it.each([
  ['12345', 8],
  ['23456', 6],
])('the list shows every price package of partner %s with commission, market and ID', async (partnerId, count) => {
  const åse = await test.signedIn('Åse Bjørk')
  const page = await åse.open(`/partners/${partnerId}/price-packages`)
  expect(headingsOf(page)).toEqual(['Name', 'Price', 'Commission', 'Product', 'Market', 'In the signup form', 'ID'])
  const packages = test.world.pricePackages.filter((row) => row.partnerId === partnerId)
  expect(packages).toHaveLength(count)
  const expected = packages.map(({ body }) => [
    body.name,
    body.description,
    body.commission ?? 'None',
    products[body.productType ?? ''] ?? '',
    countries[body.market ?? 'NO'],
    body.visibleInSignupForm ? 'Yes' : 'No',
    body.pricePackageId,
  ])
  expect(inOrder(rowsOf(page))).toEqual(inOrder(expected))
  const markets = rowsOf(page).map((row) => String(row[4]))
  expect(markets).toEqual(markets.toSorted())
  for (const { body } of packages) {
    expect(page.$(`tr[id="${body.pricePackageId}"] td strong`).text()).toBe(body.name)
    expect(page.$(`button[data-copy="${body.pricePackageId}"]`)).toHaveLength(1)
  }
  expect(page.words).toContain('Which price package does a sales unit have?')
})

it('the empty list says whom to ask', async () => {
  const liisa = await test.signedIn('Liisa Korhonen')
  const page = await liisa.open('/partners/34567/price-packages')
  expect(page.words).toContain('No price packages yet')
  expect(page.words).toContain('Your partner manager can agree on prices with you.')
  expect(page.$('main table')).toHaveLength(0)
})

it('the list filters by name, ID, product and market, and sorts', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  const path = '/partners/12345/price-packages'
  const packages = test.world.pricePackages.filter(({ partnerId }) => partnerId === '12345').map(({ body }) => body)
  const idsOf = async (query: string) => rowsOf(await kari.open(`${path}?${query}`)).map((row) => String(row[6]))
  const ids = (wanted: (body: (typeof packages)[number]) => boolean) =>
    packages
      .filter(wanted)
      .map(({ pricePackageId }) => pricePackageId)
      .toSorted()
  const [one] = packages
  expect(await idsOf(`q=${one?.pricePackageId}`)).toEqual([one?.pricePackageId])
  expect((await idsOf('market=DK')).toSorted()).toEqual(ids(({ market }) => market === 'DK'))
  expect(ids(({ market }) => market === 'DK').length).toBeGreaterThan(0)
  expect((await idsOf(`product=${one?.productType}&market=${one?.market}`)).toSorted()).toEqual(
    ids(({ productType, market }) => productType === one?.productType && market === one?.market),
  )
  const commissions = rowsOf(await kari.open(`${path}?by=commission`)).map((row) => String(row[2]))
  const known = commissions.filter((text) => text !== 'None')
  expect(known).toEqual(known.toSorted(new Intl.Collator('nb', { numeric: true }).compare))
  expect((await kari.open(`${path}?market=SE`)).words).toContain('No price package fits all the filters')
})

it('the list shows unknown values unchanged and leaves missing ones out', async () => {
  const bodies: Record<string, unknown>[] = [
    { pricePackageId: 'a', name: 'New', description: 7, productType: 'GIFT_CARDS', market: 'SE' },
    { pricePackageId: 'b', name: 'Odd', description: '<i>1 %</i>', market: 'MOON' },
  ]
  test.api.faults.override = ({ path }) =>
    path.endsWith('/price-packages') ? { status: 200, body: bodies } : undefined
  await test.sync()
  const liisa = await test.signedIn('Liisa Korhonen')
  const page = await liisa.open('/partners/34567/price-packages')
  test.api.faults.override = null
  expect(inOrder(rowsOf(page))).toEqual(
    inOrder([
      ['New', '7', 'None', 'GIFT_CARDS', 'Sweden', '', 'a'],
      ['Odd', '<i>1 %</i>', 'None', 'Not given', 'MOON', '', 'b'],
    ]),
  )
})
