import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../src/demo/management-api/visibility.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { inOrder, readRows, rowsOf } from './reading.ts'

let test: TestPortal
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal({ env: { MANAGEMENT_API_MAX_CONCURRENCY: '3' } })
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

const path = '/partners/23456/sales-units'

it('the list does not wait for every sales unit of a slow API, and says what it has not read', async () => {
  test.api.weather.latencyMs = 400
  const started = performance.now()
  const page = await åse.open(path)
  expect(performance.now() - started).toBeLessThan(4000)
  expect(page.status).toBe(200)
  const rows = rowsOf(page)
  expect(rows).toHaveLength(25)
  expect(rows.filter((row) => row.includes('Not read yet')).length).toBeGreaterThan(5)
  expect(page.words).toMatch(/Merchants have been read for \d+ of 60 sales units so far/)
  expect(page.words).toContain('Until the rest is read, the filter finds those by name and MSN only.')
  for (const [name, msn] of rows)
    expect(test.world.salesUnits.find(({ body }) => body.msn === msn)?.body.name).toBe(name)
})

it('finds by name and MSN at once, and by merchant and business identifier once it has read ahead', async () => {
  const units = visibleSalesUnits(test.world, { kind: 'partner', id: '23456' })
  const [unit] = units.toReversed()
  if (!unit) throw new Error('no sales unit')
  expect(rowsOf(await åse.open(`${path}?q=${unit.body.msn}`)).map((row) => row[1])).toEqual([unit.body.msn])

  test.api.weather.latencyMs = 0
  let page = await åse.open(path)
  for (let tries = 0; tries < 100 && page.words.includes('so far'); tries += 1) {
    await setTimeout(50)
    page = await åse.open(path)
  }
  expect(page.words).not.toContain('so far')
  expect(page.words).not.toContain('Not read yet')

  const { id } = unit.body.businessIdentifier
  const name = test.world.merchants.find(({ body }) => body.businessIdentifier.id === id)?.body.name ?? ''
  const named = new Set(
    test.world.merchants
      .filter(({ body }) => body.name === name)
      .map(({ body }) => body.businessIdentifier.id),
  )
  const expected = units.filter(({ body }) => named.has(body.businessIdentifier.id))
  const found = await readRows(åse, `${path}?q=${encodeURIComponent(name.toUpperCase())}`)
  expect(found.map((row) => String(row[1])).toSorted()).toEqual(
    expected.map(({ body }) => body.msn).toSorted(),
  )
  expect(inOrder(await readRows(åse, `${path}?q=${id}`)).length).toBeGreaterThan(0)
})

it('asks the API for each of them once', () => {
  const asked = test.api.requests.filter(
    ({ path: called, organisation }) =>
      /^\/management\/v1\/sales-units\/\d+$/.test(called) && organisation === 'partner/23456',
  )
  expect(asked).toHaveLength(60)
  expect(new Set(asked.map(({ path: called }) => called)).size).toBe(60)
  const merchants = test.api.requests.filter(({ path: called }) => /\/merchants\/[^/]+\/[^/]+$/.test(called))
  expect(merchants.length).toBe(new Set(merchants.map(({ path: called }) => called)).size)
})
