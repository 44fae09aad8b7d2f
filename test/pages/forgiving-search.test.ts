import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { rowsOf } from '../support/page-content.ts'

const base = '/partners/12345'
/** Names of sales units, with the merchant of each. */
const units = [
  ['Björk & Söner', 'Björk AB', 'business:SE:ORG', '5561237890'],
  ['Caféen på Torget', 'Sjømat AS', 'business:NO:ORG', '987654321'],
  ['Ålesund Bakeri', 'Aalesund Brød AS', 'business:NO:ORG', '987654322'],
  ['Kiosk 7 11', 'Rema 1000 Storgata 12', 'business:NO:ORG', '987654323'],
  ['Videoeksperten', 'Straßenbahn GmbH', 'business:DK:CVR', '94347324'],
  ['Saarinen Oy', 'Äkäslompolo Oy', 'business:FI:Y-tunnus', '9412701-4'],
  ['Szabo Oy', 'İstanbul Oy', 'business:FI:Y-tunnus', '9412702-2'],
  ['Zebra', 'Ærlig Kaffe ApS', 'business:DK:CVR', '94347325'],
] as const

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
  const db = test.portal.database.kysely
  await sql`delete from sales_units where organisation = 'partner/12345'`.execute(db)
  for (const [at, [name, merchant, scheme, id]] of units.entries())
    await sql`
      insert into sales_units (organisation, key, name, merchant_name, scheme, business_id,
        first_seen_at, last_seen_at, changed_at)
      values ('partner/12345', ${String(600_000 + at)}, ${name}, ${merchant}, ${scheme}, ${id},
        now(), now(), now())`.execute(db)
})
afterAll(async () => test.stop())

async function find(q: string, path = 'sales-units'): Promise<Visit> {
  return kari.open(`${base}/${path}?q=${encodeURIComponent(q)}`)
}

function namesOn(page: Visit): string[] {
  return rowsOf(page).map(([name = '']) => name)
}

function hitsOn(page: Visit): string[] {
  return (
    page
      .$('main mark')
      // A narrow table shows the MSN below the name instead.
      .not('.fold mark')
      .toArray()
      .map((hit) => page.$(hit).text().replaceAll('\u{a0}', ' '))
  )
}

describe('a search', () => {
  it.each([
    ['bjork', 'Björk & Söner', ['Björk', 'Björk']],
    ['BJOERK', 'Björk & Söner', ['Björk', 'Björk']],
    ['bjørk', 'Björk & Söner', ['Björk', 'Björk']],
    ['cafe', 'Caféen på Torget', ['Café']],
    ['CAFE\u{301}', 'Caféen på Torget', ['Café']],
    ['pa torget', 'Caféen på Torget', ['på', 'Torget']],
    ['aalesund', 'Ålesund Bakeri', ['Ålesund', 'Aalesund']],
    ['alesund', 'Ålesund Bakeri', ['Ålesund', 'Aalesund']],
    ['ålesund', 'Ålesund Bakeri', ['Ålesund', 'Aalesund']],
    ['strassen', 'Videoeksperten', ['Straßen']],
    ['eksperten', 'Videoeksperten', ['eksperten']],
    ['videoeks', 'Videoeksperten', ['Videoeks']],
    ['akaslompolo', 'Saarinen Oy', ['Äkäslompolo']],
    ['istanbul', 'Szabo Oy', ['İstanbul']],
    ['ＺＥＢＲＡ', 'Zebra', ['Zebra']],
  ])('finds other spellings of letters, and marks them: %s', async (q, name, hits) => {
    const page = await find(q)
    expect([namesOn(page), hitsOn(page)]).toEqual([[name], hits])
  })

  it.each([
    ['bakeri ålesund', 'Ålesund Bakeri'],
    ['brod alesund bakeri', 'Ålesund Bakeri'],
    ['oner jork', 'Björk & Söner'],
    ['a b c d e f bakeri brød', ''],
    ['ålesund torget', ''],
    ['rema 1000 12', 'Kiosk 7 11'],
    ['12 1000 kiosk', 'Kiosk 7 11'],
  ])('finds words in any order, all of which it needs: %s', async (q, name) => {
    expect(namesOn(await find(q)).join()).toBe(name)
  })

  it.each([
    ['NO 987 654 321', 'Caféen på Torget', ['987 654 321']],
    ['NO987654321MVA', 'Caféen på Torget', ['987 654 321']],
    ['org.nr. 987 654 321', 'Caféen på Torget', ['987 654 321']],
    ['60 00 03', 'Kiosk 7 11', ['600003']],
    ['DK CVR 94347324', 'Videoeksperten', ['94347324']],
    ['94 34 73 24', 'Videoeksperten', ['94347324']],
    ['Y-tunnus 9412701-4', 'Saarinen Oy', ['9412701-4']],
    ['FI94127014', 'Saarinen Oy', ['9412701-4']],
    ['94127014', 'Saarinen Oy', ['9412701-4']],
    ['556123-7890', 'Björk & Söner', ['556123-7890']],
    ['7 11', 'Kiosk 7 11', ['7 11']],
    ['nes', '', []],
    ['y-tunnus', '', []],
  ])('understands numbers and their registers: %s', async (q, name, hits) => {
    const page = await find(q)
    expect([namesOn(page).join(), hitsOn(page)]).toEqual([name, hits])
  })

  it.each([
    ['price-packages', '2,99', ['Standard']],
    ['price-packages', 'taysi kassa', ['Kassa-hinnasto täysi']],
    ['templates', 'butikk kasse', ['Kasse i butikk']],
  ])('finds the same in %s: %s', async (path, q, names) => {
    const page = await find(q, path)
    expect(rowsOf(page).map((row) => row[0]?.split(' Copy')[0]?.slice(0, names[0]?.length))).toEqual(names)
  })
})

it.each([
  ['nb', ['Szabo Oy', 'Saarinen Oy', 'Videoeksperten', 'Zebra', 'Ålesund Bakeri']],
  ['da', ['Szabo Oy', 'Saarinen Oy', 'Videoeksperten', 'Zebra', 'Ålesund Bakeri']],
  ['sv', ['Saarinen Oy', 'Szabo Oy', 'Videoeksperten', 'Zebra', 'Ålesund Bakeri']],
  ['fi', ['Saarinen Oy', 'Szabo Oy', 'Videoeksperten', 'Zebra', 'Ålesund Bakeri']],
  ['en', ['Saarinen Oy', 'Szabo Oy', 'Videoeksperten', 'Zebra', 'Ålesund Bakeri']],
])('names are sorted as in the language of the page: %s', async (language, last) => {
  const headers = { 'Accept-Language': language }
  const names = ['Björk & Söner', 'Caféen på Torget', 'Kiosk 7 11', ...last]
  const open = async (query: string) => namesOn(await kari.open(`${base}/sales-units${query}`, { headers }))
  expect(await open('')).toEqual(names)
  expect(await open('?sort=-name')).toEqual(names.toReversed())
})
