import { afterAll, beforeAll, expect, it } from 'vitest'
import { messages } from '../support/messages.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { headingsOf, inOrder, rowsOf } from '../support/page-content.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal()
})
afterAll(async () => test.stop())

/** The locked fields of the demo's templates as the page names them. */
const inWords: Readonly<Record<string, string>> = {
  '': 'None',
  pricePackage: 'Price package',
  'pricePackage productType': 'Price package, product',
  'pricePackage productType website': 'Price package, product, website',
}

const products: Record<string, string> = messages.productType

function date(iso: string | undefined): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' }).format(new Date(iso ?? ''))
}

it('the list shows every template with price package, locked fields and link', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  const page = await kari.open('/partners/12345/templates')
  expect(headingsOf(page)).toEqual(['Name', 'Product', 'Price package', 'Locked fields', 'Created', 'Link to share'])
  const templates = test.world.templates.filter(({ partnerId }) => partnerId === '12345')
  expect(templates).toHaveLength(5)
  const expected = templates.map(({ body }) => [
    body.name,
    products[body.productType ?? ''] ?? '',
    test.world.pricePackages.find((row) => row.body.pricePackageId === body.pricePackageId)?.body.name ??
      'The merchant chooses',
    inWords[body.lockedFields?.join(' ') ?? ''] ?? '',
    date(body.createdAt),
    `Open: ${body.url}`,
  ])
  expect(inOrder(rowsOf(page))).toEqual(inOrder(expected))
  const names = rowsOf(page).map(([name]) => name ?? '')
  expect(names).toEqual(names.toSorted(new Intl.Collator('nb').compare))
  for (const { body } of templates)
    expect(page.$(`button[data-copy="${body.url}"]`).text()).toBe(`Copy link: ${body.name}`)
})

it('each price package is linked to its row', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  const page = await kari.open('/partners/12345/templates')
  const links = page.$('main td a[href*=price-packages]').toArray()
  expect(links).toHaveLength(4)
  for (const link of links) {
    const target = await kari.open(String(page.$(link).attr('href')))
    expect(rowsOf(target).map(([name]) => name)).toEqual([page.$(link).text()])
  }
})

it('the page says when the API shares no templates with the partner', async () => {
  const åse = await test.signedIn('Åse Bjørk')
  const page = await åse.open('/partners/23456/templates')
  expect(page.status).toBe(200)
  expect(page.words).toContain('The API does not share templates yet')
  expect(page.words).toContain('Ask your partner manager for a list.')
  expect(page.$('main table')).toHaveLength(0)
})

it('the empty list says whom to ask', async () => {
  const liisa = await test.signedIn('Liisa Korhonen')
  const page = await liisa.open('/partners/34567/templates')
  expect(page.words).toContain('No templates yet')
  expect(page.words).toContain('Your partner manager can create one for you.')
})

it('the list filters by name, ID and product, and sorts', async () => {
  const kari = await test.signedIn('Kari Nordmann')
  const path = '/partners/12345/templates'
  const templates = test.world.templates.filter(({ partnerId }) => partnerId === '12345')
  const [one] = templates
  const namesOf = async (query: string) => rowsOf(await kari.open(`${path}?${query}`)).map(([name]) => String(name))
  expect(await namesOf(`q=${one?.body.templateId.toUpperCase()}`)).toEqual([one?.body.name])
  expect(await namesOf(`q=${encodeURIComponent(one?.body.name.toUpperCase() ?? '')}`)).toEqual([one?.body.name])
  for (const product of new Set(templates.map(({ body }) => body.productType))) {
    const some = templates.filter(({ body }) => body.productType === product).map(({ body }) => body.name)
    expect((await namesOf(`product=${product}`)).toSorted()).toEqual(some.toSorted())
  }
  const priced = templates.find(({ body }) => body.pricePackageId === one?.body.pricePackageId)
  expect(await namesOf(`package=${one?.body.pricePackageId}`)).toEqual([priced?.body.name])
  expect((await kari.open(path)).$('#package label')).toHaveLength(5)
  expect(await namesOf('sort=-name')).toEqual((await namesOf('')).toReversed())
  const dates = templates
    .map(({ body }) => body)
    .toSorted((a, b) => (String(a.createdAt) < String(b.createdAt) ? 1 : -1))
  expect(await namesOf('by=-created')).toEqual(dates.map(({ name }) => name))
  const none = await kari.open(`${path}?q=nothing`)
  expect(none.words).toContain('No template matches “nothing”')
  expect(none.words).toContain('0 of 5 templates match')
  expect(rowsOf(await kari.follow('Clear search and filters'))).toHaveLength(5)
})

it('the list shows unknown values unchanged, and links only http(s) URLs', async () => {
  const bodies = [
    { templateId: 1, name: 'Newer', productType: 'GIFT_CARDS', pricePackageId: 'gone', url: 'javascript:1' },
  ]
  test.api.faults.override = ({ path }) =>
    path.endsWith('/product-order-templates') ? { status: 200, body: bodies } : undefined
  await test.sync()
  const liisa = await test.signedIn('Liisa Korhonen')
  const page = await liisa.open('/partners/34567/templates')
  test.api.faults.override = null
  expect(rowsOf(page)).toEqual([['Newer', 'Gift cards (GIFT_CARDS)', 'gone', 'None', '', '']])
  expect(page.text).not.toContain('javascript:')
})
