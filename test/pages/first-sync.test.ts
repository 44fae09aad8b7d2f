import { afterAll, beforeAll, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import type { Partner } from '../../src/domain/organisation.ts'
import { summarise } from '../../src/store/summaries.ts'
import { findSyncState } from '../../src/store/sync-state.ts'
import type { Browser } from '../support/browser.ts'
import { factsOf, fold, rowsOf } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/until.ts'

const nordlys: Partner = { kind: 'partner', id: '12345', name: 'Nordlys Platform AS' }
const list = '/partners/12345/sales-units'

let test: TestPortal
let kari: Browser
/** After the first answers to the lists, the API answers for a few sales units only. */
beforeAll(async () => {
  let isUp = true
  test = await startTestPortal({
    world: createDemoWorld({ salesUnits: 60 }),
    synced: false,
    env: { SYNC_RETRY_SECONDS: '300' },
    faults: {
      override: ({ path }) => {
        const isAnswered = isUp ? !/\/(merchants|sales-units)\/\w/.test(path) : /token/.test(path)
        return isAnswered || /\/sales-units\/(231777|123789|124680)$/.test(path) ? undefined : { status: 503 }
      },
    },
  })
  const { kysely } = test.portal.database
  await until(async () => (await findSyncState(kysely, nordlys, 'salesUnits'))?.checkedAt instanceof Date)
  isUp = false
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

function alertsOf({ $ }: Awaited<ReturnType<Browser['open']>>): string[] {
  return $('main .ds-alert')
    .toArray()
    .map((alert) => fold($(alert).text()))
}

it('the pages of lists say in one box that the API does not answer, before the lists are due again', async () => {
  await until(async () => (await kari.open(list)).words.includes('has not been responding correctly'))
  const page = await kari.open(list)
  const [alert, ...others] = alertsOf(page)
  expect(others).toEqual([])
  expect(alert).toMatch(
    /^The Vipps MobilePay API has not been responding correctly since .*\. Later changes are not included\. \d+ of 12 sales units loaded\./,
  )
  expect(page.$('[data-live=freshness] [data-reading]')).toHaveLength(1)
  expect(page.words).not.toContain('Loading for the first time')
  await until(async () => (await kari.open('/partners/12345')).words.includes('has not been responding correctly'))
  expect(alertsOf(await kari.open('/partners/12345'))).toHaveLength(1)
})

it('a sales unit says the same of its merchant as the list', async () => {
  const read = rowsOf(await kari.open(list)).filter((row) => /Not loaded yet .*\d/.test(String(row[2])))
  expect(read.length).toBeGreaterThan(0)
  for (const [, msn] of read) {
    const page = await kari.open(`${list}/${msn}`)
    expect([msn, factsOf(page)['Merchant']]).toEqual([msn, 'Not loaded yet'])
    expect(page.words).not.toContain('could not be read')
  }
})

it('the number of sales units does not go back while a first list is written', async () => {
  const { kysely, pool } = test.portal.database
  const state = async () => findSyncState(kysely, nordlys, 'salesUnits')
  const count = async (checkedAt: string) => {
    await pool.query(
      `update sync_state set total = 1200, checked_at = ${checkedAt}
       where organisation = 'partner/12345' and resource = 'salesUnits'`,
    )
    await summarise(kysely, nordlys, { resource: 'salesUnits', table: 'sales_units' }, { inPassing: true, again: true })
    return (await state())?.total
  }
  expect(await count('null')).toBe(1200)
  expect(await count('now()')).toBe(12)
})
