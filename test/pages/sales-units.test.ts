import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import type { DemoSalesUnit } from '../../demo/world/types.ts'
import type { OrganisationReference } from '../../src/domain/organisation.ts'
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
  fold,
} from '../support/page-content.ts'

let test: TestPortal
let kari: Browser
let åse: Browser
/** The date of the first sync. */
let today: string
beforeAll(async () => {
  today = shownDate(new Date())
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

const small = '/partners/12345/sales-units'
const large = '/partners/23456/sales-units'
const acme: OrganisationReference = { kind: 'merchant', scheme: 'business:NO:ORG', id: '311900456' }

function merchantName({ body: { businessIdentifier } }: DemoSalesUnit): string {
  return (
    test.world.merchants.find(
      ({ body }) =>
        body.businessIdentifier.id === businessIdentifier.id &&
        body.businessIdentifier.scheme === businessIdentifier.scheme,
    )?.body.name ?? 'no such merchant'
  )
}

function abilities({ body: { configuration } }: DemoSalesUnit): string {
  return [
    configuration['paymentAllowed'] === false && 'Login only',
    configuration['recurringAllowed'] === true && 'Recurring',
    configuration['captureType'] === 'DirectCapture' && 'Direct capture',
  ]
    .filter((word) => word !== false)
    .join(' ')
}

function rowOf(unit: DemoSalesUnit): string[] {
  const { scheme, id } = unit.body.businessIdentifier
  const merchant = `${merchantName(unit)} ${writtenIdentifier({ scheme, id })}`
  return [unit.body.name, unit.body.msn, merchant, abilities(unit), today]
}

function rowsFor(organisation: OrganisationReference) {
  return visibleSalesUnits(test.world, organisation).map(rowOf)
}

function isSorted(rows: string[][]) {
  const names = rows.map(([name]) => name ?? '')
  // English pages take the order of Swedish.
  expect(names).toEqual(names.toSorted(new Intl.Collator('sv', { numeric: true }).compare))
}

describe('the list', () => {
  it('shows exactly the sales units of the partner, by name, in all columns', async () => {
    const page = await kari.open(small)
    expect(headingsOf(page)).toEqual(['Name', 'MSN', 'Merchant', 'Features', 'First seen'])
    expect(rowsOf(page)).toHaveLength(12)
    expect(inOrder(rowsOf(page))).toEqual(inOrder(rowsFor({ kind: 'partner', id: '12345' })))
    isSorted(rowsOf(page))
    expect(page.words).toContain('12 sales units')
    expect(page.words).toContain('1–12 of 12')
    expect(page.words).toContain('Active sales units that have you as partner.')
    expect(page.$('main a[rel=next], main a[rel=prev]')).toHaveLength(0)
  })

  it('shows 25 rows a page, none twice', async () => {
    const pages = await readAll(åse, large)
    expect(pages.map(({ length }) => length)).toEqual([25, 25, 10])
    expect(inOrder(pages.flat())).toEqual(inOrder(rowsFor({ kind: 'partner', id: '23456' })))
    isSorted(pages.flat())
    const second = await åse.open(`${large}?page=2`)
    expect(second.words).toContain('26–50 of 60')
    expect(linksOf(second)).toMatchObject({ Previous: large, Next: '?page=3' })
  })

  it('shows a merchant its own sales units with any partner', async () => {
    const base = `/merchants/${acme.scheme}/${acme.id}/sales-units`
    const page = await åse.open(base)
    expect(inOrder(rowsOf(page))).toEqual(inOrder(rowsFor(acme)))
    expect(rowsOf(page).map(([, msn]) => msn)).toContain('124999')
    expect(page.words).toContain('Your active sales units.')
    expect(page.words).not.toContain('I can’t see merchant X')
  })

  it('links each row to the sales unit and to its merchant', async () => {
    const links = linksOf(await kari.open(small))
    expect(links['Tromsø Fitness Nordlys']).toBe(`${small}/124680`)
    expect(links['Saimaan Sauna Oy']).toBeUndefined()
    expect(links['Fitness Tampere Oy']).toBe('/partners/12345/merchants/business:FI:Y-tunnus/9123456-7')
  })

  it('explains to a partner without sales units why there are none', async () => {
    const liisa = await test.signedIn('Liisa Korhonen')
    const page = await liisa.open('/partners/34567/sales-units')
    expect(page.words).toContain('No sales units yet')
    expect(page.words).toContain('once a merchant has ordered a product with you as partner')
    expect(page.$('main table, main form')).toHaveLength(0)
    expect(page.words).toContain('I can’t see merchant X')
  })
})

describe('the filter', () => {
  const texts = (unit: DemoSalesUnit): string[] => {
    return [unit.body.name, unit.body.msn, merchantName(unit), unit.body.businessIdentifier.id]
  }

  it.each([
    ['a part of the name', 'fitness', 9],
    ['the name in another case', 'TROMSØ fitness', 1],
    ['å, ä and ö', 'hämeen', 1],
    ['decomposed letters', 'Hämeen'.normalize('NFD'), 1],
    ['quotes', '"ØRSTA"', 1],
    ['an apostrophe', "ole's", 1],
    ['an ampersand', 'fitness & spa', 2],
    ['markup', '<SCRIPT>', 1],
    ['surrounding space', '  28123 ', 1],
    ['a part of the MSN', '2048123', 2],
    ['the name of the merchant', 'fitnesscentre', 2],
    ['a business identifier', '9123456-7', 2],
    ['a part of a business identifier', '3119004', 3],
    ['a part of a business identifier around its hyphen', '23456-7', 2],
    ['a word of the scheme', 'y-tunnus', 0],
    ['a part of a word of the scheme', 'usines', 0],
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

  it.each(['NO 311 900 456', '311 900 456', 'no311900456', ' 311900 456', 'NO\u00A0311\u00A0900\u00A0456'])(
    'finds a business identifier in any notation: %s',
    async (q) => {
      const page = await kari.open(`${small}?q=${encodeURIComponent(q)}`)
      expect(rowsOf(page)).toHaveLength(3)
      for (const row of rowsOf(page)) expect(row[2]).toMatch(/NO 311 900 456$/)
      // The mark includes the spaces between the digits.
      expect(fold(page.$('main td mark').first().text())).toBe('311 900 456')
    },
  )

  it('marks the matching part of an identifier', async () => {
    const page = await kari.open(`${small}?q=1900`)
    expect(fold(page.$('main td mark').first().text())).toBe('1 900')
    const danish = await kari.open(`${small}?q=${encodeURIComponent('CVR 91234567')}`)
    expect(rowsOf(danish).map((row) => row[2]?.slice(-11))).toEqual(['DK 91234567', 'DK 91234567'])
  })

  it('is kept on all pages', async () => {
    const rows = await readRows(åse, `${large}?q=e`)
    expect(rows.length).toBeGreaterThan(25)
    const page = await åse.open(`${large}?q=e&page=2`)
    expect(linksOf(page)).toMatchObject({ Previous: '?q=e' })
    expect(page.$('#q').val()).toBe('e')
    const wanted = visibleSalesUnits(test.world, { kind: 'partner', id: '23456' }).filter((unit) =>
      texts(unit).some((text) => /[eé]/i.test(text)),
    )
    expect(inOrder(rows)).toEqual(inOrder(wanted.map(rowOf)))
  })

  it('says that nothing matches, and can be cleared', async () => {
    const page = await kari.open(`${small}?q=finnes+ikke`)
    expect(page.words).toContain('No sales unit matches “finnes ikke”')
    expect(page.words).toContain('0 of 12 sales units match')
    expect(page.$('main table')).toHaveLength(0)
    expect(rowsOf(await kari.follow('Clear search and filters'))).toHaveLength(12)
  })

  it('finds no deactivated sales unit and none of another partner', async () => {
    for (const q of ['125000', '124999', '160404', 'Nedlagt', '290001'])
      expect(rowsOf(await kari.open(`${small}?q=${q}`))).toEqual([])
  })
})

describe('columns', () => {
  const columns: [string, string, (unit: DemoSalesUnit) => string | number][] = [
    ['msn', 'MSN', ({ body }) => Number(body.msn)],
    ['merchant', 'Merchant', merchantName],
  ]

  it('can be left for an order without a heading: the business identifier', async () => {
    const page = await kari.open(`${small}?sort=identifier`)
    const identifiers = rowsOf(page).map((row) => row[2]?.split(' ').slice(-4).join(' '))
    expect(page.$('#sort [selected]').text()).toBe('Business identifier')
    expect(identifiers.at(0)).toMatch(/DK 9/)
    expect(identifiers.at(-1)).toMatch(/NO \d/)
  })

  it.each(columns)('sort by %s ascending, descending, and then by the default', async (name, heading, keyOf) => {
    const units = visibleSalesUnits(test.world, { kind: 'partner', id: '12345' })
    const compare = (a: string | number, b: string | number): number =>
      typeof a === 'number' && typeof b === 'number'
        ? a - b
        : new Intl.Collator('nb', { numeric: true, ignorePunctuation: true }).compare(String(a), String(b))
    const inTurn = units.map(keyOf).toSorted(compare)
    const keysShown = (rows: string[][]) =>
      rows.map(([, msn]) => keyOf(units.find(({ body }) => body.msn === msn) as DemoSalesUnit))

    const first = await kari.open(`${small}?by=${name}`)
    expect(keysShown(rowsOf(first))).toEqual(inTurn)
    const headed = (page: Visit) => page.$(`th:contains("${heading}")`)
    expect(headed(first).attr('aria-sort')).toBe('ascending')
    expect(first.$('th[aria-sort=none]')).toHaveLength(3)
    // The heading is a submit button of the filter form, which keeps the typed text.
    expect(headed(first).find('button').attr()).toMatchObject({
      form: 'filter',
      name: 'by',
      value: `-${name}`,
    })
    const second = await kari.open(`${small}?by=-${name}&sort=${name}`)
    expect(keysShown(rowsOf(second))).toEqual(inTurn.toReversed())
    expect(headed(second).attr('aria-sort')).toBe('descending')
    expect(headed(second).find('button').attr('value')).toBe('name')
    expect(rowsOf(await kari.open(`${small}?by=name&sort=-${name}`))).toEqual(rowsOf(await kari.open(small)))
  })

  it('keep their order on all pages and with a filter', async () => {
    const page = await åse.open(`${large}?sort=-msn&size=50`)
    expect(linksOf(page)).toMatchObject({
      Next: '?sort=-msn&page=2',
    })
    expect(page.$('#sort [selected]').val()).toBe('-msn')
    expect(page.$('#size[form=filter] [selected]').text()).toBe('50 per page')
    const rows = (await readRows(åse, `${large}?sort=-msn&size=50`)).map(([, msn]) => Number(msn))
    expect(rows).toEqual(rows.toSorted((a, b) => b - a))
    expect(rows).toHaveLength(60)
    // The size is remembered until another one is chosen.
    expect(rowsOf(await åse.open(large))).toHaveLength(50)
    expect(rowsOf(await åse.open(`${large}?size=25`))).toHaveLength(25)
    expect(rowsOf(await åse.open(large))).toHaveLength(25)
  })
})

describe('the filter by market, capture type and setting', () => {
  const small12345 = (wanted: (unit: DemoSalesUnit) => boolean) =>
    visibleSalesUnits(test.world, { kind: 'partner', id: '12345' }).filter(wanted)
  const market = (code: string) => (unit: DemoSalesUnit) => unit.body.businessIdentifier.scheme.split(':')[1] === code
  const can =
    (...names: string[]) =>
    ({ body: { configuration } }: DemoSalesUnit) =>
      names.every((name) => configuration[name] === true)
  const captures = (type: string) => (unit: DemoSalesUnit) => unit.body.configuration['captureType'] === type

  it.each([
    ['market=DK', market('DK'), ['Market: Denmark']],
    ['market=FI', market('FI'), ['Market: Finland']],
    ['capture=DirectCapture', captures('DirectCapture'), ['Capture: Direct capture']],
    ['can=recurringAllowed', can('recurringAllowed'), ['Features: Recurring payments']],
    [
      'can=paymentAllowed&can=recurringAllowed',
      can('paymentAllowed', 'recurringAllowed'),
      ['Features: Payments', 'Features: Recurring payments'],
    ],
    [
      'market=NO&capture=ReserveCapture&can=paymentAllowed',
      (unit: DemoSalesUnit) => market('NO')(unit) && captures('ReserveCapture')(unit) && can('paymentAllowed')(unit),
      ['Market: Norway', 'Capture: Reserve, capture later', 'Features: Payments'],
    ],
  ])('narrows the list by %s, with a link to remove each part', async (query, wanted, chips) => {
    const expected = small12345(wanted)
    expect(expected.length).toBeGreaterThan(0)
    expect(expected.length).toBeLessThan(12)
    const page = await kari.open(`${small}?${query}`)
    expect(inOrder(rowsOf(page))).toEqual(inOrder(expected.map(rowOf)))
    expect(page.words).toContain(`${expected.length} of 12 sales units`)
    expect(Object.keys(chipsOf(page))).toEqual(chips)
    for (const [index, href] of Object.values(chipsOf(page)).entries()) {
      const pairs = query.split('&').filter((_, at) => at !== index)
      expect(href).toBe(pairs.length > 0 ? `?${pairs.join('&')}` : small)
    }
  })

  it('combines with text and is cleared with it', async () => {
    const page = await kari.open(`${small}?q=fitness&market=DK`)
    const expected = small12345(market('DK')).filter((unit) => /fitness/i.test(rowOf(unit).join(' ')))
    expect(inOrder(rowsOf(page))).toEqual(inOrder(expected.map(rowOf)))
    expect(chipsOf(page)).toEqual({ 'Market: Denmark': '?q=fitness' })
    expect(rowsOf(await kari.follow('Clear all'))).toHaveLength(12)
  })

  it('says what was searched when nothing matches', async () => {
    const page = await kari.open(`${small}?market=SE`)
    expect(page.words).toContain('No sales units match your filters')
    expect(page.words).toContain('Remove a filter or clear them all.')
    expect(Object.keys(chipsOf(page))).toEqual(['Market: Sweden'])
  })

  it('marks the matching text in any case and digit grouping', async () => {
    const hits = (page: Visit) =>
      page
        .$('main td > mark, main td :not(.fold) > mark')
        .toArray()
        .map((hit) => page.$(hit).text())
    expect(new Set(hits(await kari.open(`${small}?q=fITNESS`)))).toEqual(new Set(['Fitness']))
    expect(hits(await kari.open(`${small}?q=${encodeURIComponent('12 46 80')}`))).toEqual(['124680'])
    expect(hits(await kari.open(small))).toEqual([])
    expect(hits(await kari.open(`${small}?q=%3CSCRIPT%3E`))).toEqual(['<script>'])
  })

  it.each([
    ['size=50', [50, 10]],
    ['size=100', [60]],
    ['size=25', [25, 25, 10]],
  ])('shows as many rows a page as %s requests', async (query, lengths) => {
    const pages = await readAll(åse, `${large}?${query}`)
    expect(pages.map(({ length }) => length)).toEqual(lengths)
  })
})
