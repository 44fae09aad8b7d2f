import { afterAll, beforeAll, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { readRows, rowsOf, wordsOf } from '../support/page-content.ts'

let test: TestPortal
let åse: Browser
beforeAll(async () => {
  // A list waits for its token as well, so this takes longer than a page waits.
  test = await startTestPortal({
    synced: false,
    faults: { latencyMs: 4000 },
    env: { MANAGEMENT_API_MAX_CONCURRENCY: '3' },
  })
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

const base = '/partners/23456'
const path = `${base}/sales-units`
const progress = /(\d+) of 60 sales units loaded/

it('pages say after a short wait that their data is being read for the first time, and reload', async () => {
  const started = performance.now()
  const [list, landing, unit, merchant] = await Promise.all([
    åse.open(path),
    åse.open(base),
    åse.open(`${path}/400001`),
    åse.open(`${base}/merchants/business:NO:ORG/311900456`),
  ])
  const took = performance.now() - started
  // Each page waits for three seconds, two of a user at a time.
  expect(took).toBeGreaterThan(2900)
  expect(took).toBeLessThan(18_000)
  expect(list.status).toBe(200)
  expect(list.words).toContain('Loading for the first time')
  expect(list.$('main table')).toHaveLength(0)
  expect(list.words).not.toContain('No sales units yet')
  expect(list.$('[data-reading]')).not.toHaveLength(0)
  expect(landing.status).toBe(200)
  expect(
    landing
      .$('section[aria-labelledby=counts] li')
      .toArray()
      .map((card) => wordsOf(landing.$(card))),
  ).toEqual(
    ['Sales units', 'Merchants', 'Product orders', 'Price packages', 'Templates', 'Webhooks'].map(
      (name) => `${name} Loading`,
    ),
  )
  expect(landing.words).not.toContain('No product order names you')
  for (const page of [unit, merchant]) {
    expect([page.status, page.headers['refresh']]).toEqual([202, '2'])
    expect(page.$('h1').text()).toBe('Loading for the first time')
    expect(page.$('.side nav a')).toHaveLength(10)
  }
})

it('the list is shown as soon as it is read, with the missing details marked', async () => {
  test.api.faults.latencyMs = 400
  let page: Visit = await åse.open(path)
  await expect
    .poll(
      async () => {
        page = await åse.open(path)
        return rowsOf(page).length
      },
      { timeout: 30_000 },
    )
    .toBe(25)
  expect(page.words).toMatch(progress)
  expect(Number(progress.exec(page.words)?.[1])).toBeLessThan(60)
  expect(rowsOf(page).some((row) => row.includes('Not loaded yet'))).toBe(true)
  expect(page.words).toContain('Until all are, the rest can be found only by name and MSN.')
  for (const [name, msn] of rowsOf(page))
    expect(test.world.salesUnits.find(({ body }) => body.msn === msn)?.body.name).toBe(name)

  const [name, msn] = rowsOf(page).find((row) => row.includes('Not loaded yet')) ?? []
  expect(rowsOf(await åse.open(`${path}?q=${msn}`)).map((row) => row[1])).toEqual([msn])
  expect(rowsOf(await åse.open(`${path}?q=${encodeURIComponent(name ?? '')}`)).map((row) => row[1])).toContain(msn)
  // A page view moves this sales unit ahead of the others.
  const detail = await åse.open(`${path}/${msn}`)
  expect([detail.status, detail.$('h1').text()]).toEqual([200, name])
  await expect.poll(async () => (await åse.open(`${path}/${msn}`)).$('dl.settings > div').length).toBeGreaterThan(0)
})

it('the filter finds by merchant and business identifier once all details are read', async () => {
  test.api.faults.latencyMs = 0
  await test.settled()
  const page = await åse.open(path)
  expect(page.words).not.toMatch(progress)
  expect(page.words).not.toContain('Not loaded yet')

  const units = visibleSalesUnits(test.world, { kind: 'partner', id: '23456' })
  const [unit] = units.toReversed()
  if (!unit) throw new Error('no sales unit')
  const { id } = unit.body.businessIdentifier
  const name = test.world.merchants.find(({ body }) => body.businessIdentifier.id === id)?.body.name ?? ''
  const named = new Set(
    test.world.merchants.filter(({ body }) => body.name === name).map(({ body }) => body.businessIdentifier.id),
  )
  const expected = units.filter(({ body }) => named.has(body.businessIdentifier.id))
  const found = await readRows(åse, `${path}?q=${encodeURIComponent(name.toUpperCase())}`)
  expect(found.map((row) => String(row[1])).toSorted()).toEqual(expected.map(({ body }) => body.msn).toSorted())
  expect((await readRows(åse, `${path}?q=${id}`)).length).toBeGreaterThan(0)
})

it('the sync asks the API once for each sales unit', () => {
  const asked = test.api.requests.filter(
    ({ path: called, organisation }) =>
      /^\/management\/v1\/sales-units\/\d+$/.test(called) && organisation === 'partner/23456',
  )
  const existing = asked.filter(({ path: called }) => !called.endsWith('/400001'))
  expect(new Set(existing.map(({ path: called }) => called)).size).toBeGreaterThanOrEqual(59)
  expect(existing.length).toBe(new Set(existing.map(({ path: called }) => called)).size)
})
