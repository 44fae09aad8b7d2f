import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let åse: Browser

beforeAll(async () => {
  test = await startTestPortal()
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

const path = '/partners/23456/sales-units'

/** The links of the list's rows, as they stand. */
async function rowsAt(query: string): Promise<string[]> {
  const page = await åse.open(`${path}?${query}`)
  return page
    .$('main .row-link')
    .toArray()
    .map((link) => String(page.$(link).attr('href')))
}

describe('a record that was opened from a list', () => {
  it('leads to its neighbours, across pages, and back to the list as it was', async () => {
    const [first, second] = [await rowsAt('q=o'), await rowsAt('q=o&page=2')]
    const page = await åse.open(String(first.at(-1)))
    expect(page.$('.steps-through span').first().text()).toMatch(/^25 of \d\d$/)
    expect(page.$('.steps-through a[rel=prev]').attr('href')).toBe(first.at(-2))
    expect(page.$('.steps-through a[rel=next]').attr('href')).toBe(second[0])
    expect(page.$('.crumbs ol a').attr('href')).toBe(`${path}?q=o`)
    expect(page.$('.crumbs ol a').text()).toMatch(/^Sales units, \d\d as filtered$/)
    const next = await åse.open(String(second[0]))
    expect(next.$('.steps-through a[rel=prev]').attr('href')).toBe(first.at(-1))
    expect(next.$('.crumbs ol a').attr('href')).toBe(`${path}?q=o&page=2`)
  })

  it('has no previous one at the start, and no next one at the end', async () => {
    const rows = await rowsAt('q=100')
    const first = await åse.open(String(rows[0]))
    expect([first.$('a[rel=prev]').length, first.$('a[rel=next]').length]).toEqual([0, rows.length > 1 ? 1 : 0])
    const last = await åse.open(String(rows.at(-1)))
    expect(last.$('a[rel=next]')).toHaveLength(0)
  })
})

it.each([
  ['another site', 'https://evil.example/'],
  ['a script', 'javascript:alert(1)'],
  ['a page that is none', 'page=x'],
  ['a page behind all rows', 'page=400'],
  ['a filter that the list does not have', 'market=MOON'],
  ['a filter that this record does not match', 'q=zznothing'],
  ['a text that is too long', `q=${'x'.repeat(3000)}`],
])('%s instead of a list’s query gives the plain page', async (_what, from) => {
  const [first] = await rowsAt('')
  const [record] = String(first).split('?')
  const page = await åse.open(`${record}?from=${encodeURIComponent(from)}`)
  expect([page.status, page.$('.steps-through a[href]').length]).toEqual([200, from.includes(':') ? 1 : 0])
  for (const link of page.$('main a').toArray())
    expect(String(page.$(link).attr('href'))).not.toMatch(/evil|^javascript/)
})

it('a page past the end shows the last one and says so', async () => {
  const page = await åse.open(`${path}?page=49`)
  expect([page.status, page.$('main tbody tr').length]).toEqual([200, 10])
  expect(page.words).toContain('There is no page 49. This is the last page.')
  expect(page.words).toContain('51–60 of 60')
})
