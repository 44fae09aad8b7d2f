import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../src/demo/management-api/visibility.ts'
import type { DemoSalesUnit } from '../../src/demo/world/types.ts'
import type { OrganisationReference } from '../../src/organisation.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { headingsOf, inOrder, linksOf, readAll, readRows, rowsOf } from './reading.ts'

let test: TestPortal
let kari: Browser
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

const small = '/partners/12345/sales-units'
const large = '/partners/23456/sales-units'
const acme: OrganisationReference = { kind: 'merchant', scheme: 'business:NO:ORG', id: '311900456' }

const merchantName = ({ body: { businessIdentifier } }: DemoSalesUnit): string =>
  test.world.merchants.find(
    ({ body }) =>
      body.businessIdentifier.id === businessIdentifier.id &&
      body.businessIdentifier.scheme === businessIdentifier.scheme,
  )?.body.name ?? 'no such merchant'

const abilities = ({ body: { configuration } }: DemoSalesUnit): string =>
  [
    configuration['paymentAllowed'] === true && 'Payments',
    configuration['paymentAllowed'] === false && 'Login only',
    configuration['recurringAllowed'] === true && 'Recurring',
    configuration['captureType'] === 'DirectCapture' && 'Direct capture',
  ]
    .filter((word) => word !== false)
    .join(' ')

const rowOf = (unit: DemoSalesUnit): string[] => {
  const { scheme, id } = unit.body.businessIdentifier
  return [unit.body.name, unit.body.msn, merchantName(unit), `${scheme.split(':')[1]} ${id}`, abilities(unit)]
}
const rowsFor = (organisation: OrganisationReference) =>
  visibleSalesUnits(test.world, organisation).map(rowOf)

const isSorted = (rows: string[][]) => {
  const names = rows.map(([name]) => name ?? '')
  expect(names).toEqual(names.toSorted(new Intl.Collator('nb', { numeric: true }).compare))
}

describe('the list', () => {
  it('shows every sales unit of a partner and nothing else, by name, with all that the table promises', async () => {
    const page = await kari.open(small)
    expect(headingsOf(page)).toEqual(['Name', 'MSN', 'Merchant', 'Business identifier', 'Can do'])
    expect(rowsOf(page)).toHaveLength(12)
    expect(inOrder(rowsOf(page))).toEqual(inOrder(rowsFor({ kind: 'partner', id: '12345' })))
    isSorted(rowsOf(page))
    expect(page.words).toContain('12 sales units')
    expect(page.words).toContain('1–12 of 12')
    expect(page.words).toContain('Active sales units that have you as partner.')
    expect(page.$('main a[rel]')).toHaveLength(0)
  })

  it('shows a large partner 25 at a time, none twice', async () => {
    const pages = await readAll(åse, large)
    expect(pages.map(({ length }) => length)).toEqual([25, 25, 10])
    expect(inOrder(pages.flat())).toEqual(inOrder(rowsFor({ kind: 'partner', id: '23456' })))
    isSorted(pages.flat())
    const second = await åse.open(`${large}?page=2`)
    expect(second.words).toContain('26–50 of 60')
    expect(linksOf(second)).toMatchObject({ Previous: '?page=1', Next: '?page=3' })
  })

  it('shows a merchant its own, whoever their partner is', async () => {
    const base = `/merchants/${acme.scheme}/${acme.id}/sales-units`
    const page = await åse.open(base)
    expect(inOrder(rowsOf(page))).toEqual(inOrder(rowsFor(acme)))
    expect(rowsOf(page).map(([, msn]) => msn)).toContain('124999')
    expect(page.words).toContain('Your active sales units.')
    expect(page.words).not.toContain("I can't see merchant X")
  })

  it('links each row to the sales unit and to its merchant', async () => {
    const links = linksOf(await kari.open(small))
    expect(links['Tromsø Fitness Nordlys']).toBe(`${small}/124680`)
    expect(links['Saimaan Sauna Oy']).toBeUndefined()
    expect(links['Fitness Tampere Oy']).toBe('/partners/12345/merchants/business:FI:Y-tunnus/9123456-7')
  })

  it('tells a partner with nothing why there is nothing', async () => {
    const liisa = await test.signedIn('Liisa Korhonen')
    const page = await liisa.open('/partners/34567/sales-units')
    expect(page.words).toContain('No sales units yet')
    expect(page.words).toContain('once a merchant has ordered a product with you as partner')
    expect(page.$('main table, main form')).toHaveLength(0)
    expect(page.words).toContain("I can't see merchant X")
  })
})

describe('the filter', () => {
  const texts = (unit: DemoSalesUnit): string[] => {
    const { scheme, id } = unit.body.businessIdentifier
    return [unit.body.name, unit.body.msn, merchantName(unit), id, `${scheme}:${id}`]
  }

  it.each([
    ['a part of the name', 'fitness', 9],
    ['the name in other letters of the same', 'TROMSØ fitness', 1],
    ['å, ä and ö as they are', 'hämeen', 1],
    ['letters that are put together of two', 'Hämeen'.normalize('NFD'), 1],
    ['quotes', '"ØRSTA"', 1],
    ['an apostrophe', "ole's", 1],
    ['an ampersand', 'fitness & spa', 2],
    ['markup', '<SCRIPT>', 1],
    ['space around', '  28123 ', 1],
    ['a part of the MSN', '2048123', 2],
    ['the name of the merchant', 'fitnesscentre', 2],
    ['a business identifier', '9123456-7', 2],
    ['a part of it', '3119004', 3],
    ['one with its scheme', 'business:DK:CVR:91234567', 2],
    ['a scheme in small letters', 'business:fi:y-tunnus', 2],
  ])('finds by %s: %s', async (_what, q, count) => {
    const page = await kari.open(`${small}?q=${encodeURIComponent(q)}`)
    const wanted = q.trim().normalize('NFC').toLocaleLowerCase('nb')
    const expected = visibleSalesUnits(test.world, { kind: 'partner', id: '12345' }).filter((unit) =>
      texts(unit).some((text) => text.toLocaleLowerCase('nb').includes(wanted)),
    )
    expect(inOrder(rowsOf(page))).toEqual(inOrder(expected.map(rowOf)))
    expect(expected).toHaveLength(count)
    const words = count === 1 ? 'sales units matches' : 'sales units match'
    expect(page.words).toContain(`${count} of 12 ${words} “${q.trim()}”`)
    expect(page.$('#q').val()).toBe(q.trim())
  })

  it('stays while one turns the pages', async () => {
    const rows = await readRows(åse, `${large}?q=business:`)
    expect(rows).toHaveLength(60)
    const page = await åse.open(`${large}?q=business:&page=2`)
    expect(linksOf(page)).toMatchObject({
      Previous: '?q=business%3A&page=1',
      Next: '?q=business%3A&page=3',
    })
    expect(page.$('#q').val()).toBe('business:')
    const some = visibleSalesUnits(test.world, { kind: 'partner', id: '23456' }).filter((unit) =>
      texts(unit).some((text) => text.includes('business:NO')),
    )
    expect(await readRows(åse, `${large}?q=BUSINESS:no`)).toHaveLength(some.length)
  })

  it('says that nothing matches, and leads back to everything', async () => {
    const page = await kari.open(`${small}?q=finnes+ikke`)
    expect(page.words).toContain('No sales unit matches “finnes ikke”')
    expect(page.words).toContain('0 of 12 sales units match')
    expect(page.$('main table')).toHaveLength(0)
    expect(rowsOf(await kari.follow('Clear the filter'))).toHaveLength(12)
  })

  it('finds nothing that is deactivated, or another partner’s', async () => {
    for (const q of ['125000', '124999', '160404', 'Nedlagt', '290001'])
      expect(rowsOf(await kari.open(`${small}?q=${q}`))).toEqual([])
  })
})
