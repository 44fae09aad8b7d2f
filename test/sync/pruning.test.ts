import { afterEach, expect, it } from 'vitest'
import { organisationKey } from '../../src/domain/organisation.ts'
import { makeDue } from '../../src/store/due.ts'
import { noteOutcomes } from '../../src/store/sync-state.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const nordlys = { kind: 'partner', id: '12345', name: 'Nordlys Platform AS' } as const
const base = '/partners/12345'
const listPath = '/management/v1/sales-units'

let test: TestPortal
let known: readonly { readonly msn: string; readonly name: string }[] | undefined
afterEach(async () => {
  known = undefined
  await test.stop()
})

/** The sync states by `resource key`; false if the sync does not refresh them by itself. */
async function syncStates(): Promise<Map<string, boolean>> {
  const { rows } = await test.portal.database.pool.query<{ name: string; due: boolean }>(
    `select resource || ' ' || key as name, due_at < 'infinity' as due from sync_state where organisation = $1`,
    [organisationKey(nordlys)],
  )
  return new Map(rows.map(({ name, due }) => [name, due]))
}

type Listed = { readonly msn: string; readonly name: string }

/** Changes the API's list, starting from the stored rows, and syncs it. */
async function listAs(change: (rows: readonly Listed[]) => readonly Listed[]): Promise<void> {
  known ??= (
    await test.portal.database.pool.query<Listed>(
      `select key as msn, name from sales_units where organisation = $1 and removed_at is null order by key`,
      [organisationKey(nordlys)],
    )
  ).rows
  const body = change(known)
  test.api.faults.override = ({ path }) => (path === listPath ? { status: 200, body } : undefined)
  await makeDue(test.portal.database.kysely, nordlys, { listsOnly: true })
  await test.settled()
}

async function without(removed?: string): Promise<void> {
  return listAs((rows) => rows.filter(({ msn }) => msn !== removed))
}

async function unitOf(): Promise<{ msn: string; merchant: string }> {
  const { rows } = await test.portal.database.pool.query<{ msn: string; merchant: string }>(
    `select min(key) as msn, scheme || '/' || business_id as merchant from sales_units s
     where organisation = $1 and not exists (
       select from product_orders o where o.organisation = s.organisation and o.business_id = s.business_id)
     group by scheme, business_id having count(*) = 1 limit 1`,
    [organisationKey(nordlys)],
  )
  return rows[0] ?? { msn: '', merchant: '' }
}

it('a removed sales unit and its merchant are not refreshed, even if a call was in flight', async () => {
  test = await startTestPortal()
  const { msn, merchant } = await unitOf()
  expect((await syncStates()).get(`merchant ${merchant}`)).toBe(true)
  await without(msn)
  // The answer to a call in flight arrives after the removal.
  const { kysely } = test.portal.database
  const outcome = { key: msn, askedMs: 5000, nextSeconds: 86_400 }
  const outcomes = [
    { resource: 'salesUnitWebhooks', ...outcome },
    { resource: 'salesUnit', ...outcome },
  ] as const
  await noteOutcomes(kysely, nordlys, outcomes, 900)
  const after = await syncStates()
  expect(after.get(`salesUnit ${msn}`)).toBe(false)
  expect(after.get(`salesUnitWebhooks ${msn}`)).toBe(false)
  expect(after.get(`merchant ${merchant}`)).toBe(false)
  await without()
  const returned = await syncStates()
  expect(returned.get(`salesUnit ${msn}`)).toBe(true)
  expect(returned.get(`salesUnitWebhooks ${msn}`)).toBe(true)
  expect(returned.get(`merchant ${merchant}`)).toBe(true)
})

it('the sync state of an unknown MSN is deleted after a week', async () => {
  test = await startTestPortal()
  const browser = await test.signedIn('Kari Nordmann')
  expect((await browser.open(`${base}/sales-units/99999999`)).status).toBe(404)
  await test.settled()
  const { msn } = await unitOf()
  expect((await syncStates()).has('salesUnit 99999999')).toBe(true)
  await test.portal.database.pool.query(
    `update sync_state set checked_at = now() - interval '8 days' where key = '99999999'`,
  )
  await without(msn)
  const after = await syncStates()
  expect(after.has('salesUnit 99999999')).toBe(false)
  expect(after.has(`salesUnit ${msn}`)).toBe(true)
})

it('a very long name is stored and shown truncated', async () => {
  test = await startTestPortal()
  const long = `Kiosk ${'æ 7 '.repeat(3000)}`
  const { msn } = await unitOf()
  await listAs((rows) => rows.map((row) => (row.msn === msn ? { ...row, name: long } : row)))
  const browser = await test.signedIn('Kari Nordmann')
  const found = await browser.open(`${base}/sales-units?q=${msn}`)
  const shown = found.$('tbody a').first().text().trim()
  expect(shown).toMatch(/^Kiosk æ 7 .*…$/)
  expect(shown.length).toBeLessThanOrEqual(200)
  expect((await browser.open(`${base}/sales-units/${msn}`)).status).toBe(200)
  expect((await browser.open(`${base}/sales-units`)).$('tbody tr').length).toBe(known?.length)
})
