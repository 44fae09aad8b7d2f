import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { FaultAnswer } from '../../demo/management-api/faults.ts'
import { makeDue } from '../../src/store/due.ts'
import type { Browser } from '../support/browser.ts'
import { whileHeld } from '../support/held-query.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const nordlys = { kind: 'partner', id: '12345', name: 'Nordlys Platform AS' } as const
const base = '/partners/12345'
const listPath = '/management/v1/sales-units'
const msn = '20481234'

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  test = await startTestPortal({ env: { SYNC_REFRESH_SECONDS: '1' } })
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())
beforeEach(async () => {
  test.api.faults.override = null
  await readLists()
})

function answerWith(path: string, answer: FaultAnswer): void {
  test.api.faults.override = (request) => (request.path === path ? answer : undefined)
}

/** Reads the partner's lists. @returns whether its sales units were compared row by row, from the log */
async function readLists(): Promise<boolean> {
  const before = test.log().length
  await makeDue(test.portal.database.kysely, nordlys, { listsOnly: true })
  await test.settled()
  const lines = test.log().slice(before).split('\n')
  const said = lines.filter((line) => line.includes('"partner/12345"') && line.includes('"resource":"salesUnits"'))
  if (said.some((line) => line.includes('"list read"'))) return true
  if (said.some((line) => line.includes('"list unchanged"'))) return false
  throw new Error('the list was not read')
}

/** Makes what is stored a minute older, so that a page asks for it again. */
async function makeOld(): Promise<void> {
  await test.portal.database.pool.query(`update sync_state set checked_at = checked_at - interval '1 minute'`)
}

async function listed(): Promise<readonly { readonly msn: string; readonly name: string }[]> {
  const { rows } = await test.portal.database.pool.query<{ msn: string; name: string }>(
    `select key as msn, name from sales_units where organisation = 'partner/12345' and removed_at is null order by key`,
  )
  return rows
}

it('an answer with the bytes of the last one is not compared', async () => {
  await makeOld()
  expect((await kari.open(`${base}/sales-units`)).words).toMatch(/Checked \d+ minutes? ago/)
  expect(await readLists()).toBe(false)
  expect((await kari.open(`${base}/sales-units`)).words).not.toMatch(/Checked \d+ minutes? ago/)
})

it('another answer is, and the first one again', async () => {
  const all = await listed()
  answerWith(listPath, { status: 200, body: all.filter((row) => row.msn !== msn) })
  expect(await readLists()).toBe(true)
  expect((await kari.open(`${base}/sales-units?q=${msn}`)).$('tbody tr')).toHaveLength(0)
  expect(await readLists()).toBe(false)
  test.api.faults.override = null
  expect(await readLists()).toBe(true)
  expect((await kari.open(`${base}/sales-units?q=${msn}`)).$('tbody tr')).toHaveLength(1)
})

it('the first answer is forgotten before another one is written, as that may be cut off', async () => {
  const all = await listed()
  answerWith(listPath, { status: 200, body: all.map((row) => (row.msn === msn ? { ...row, name: 'Cut off' } : row)) })
  const { sync } = test.portal.database
  await whileHeld(
    sync,
    /insert into "?sync_state"? as s/,
    async () => readLists(),
    async () => {
      // As when the process is killed between the last row and the outcome.
      const digest = async () =>
        (
          await test.portal.database.pool.query(
            `select answer_digest as digest from sync_state
             where organisation = 'partner/12345' and resource = 'salesUnits' and key = ''`,
          )
        ).rows
      await expect.poll(digest).toEqual([{ digest: null }])
    },
  )
  expect((await kari.open(`${base}/sales-units?q=${msn}`)).words).toContain('Cut off')
})

it('an answer with rows that cannot be read is compared each time', async () => {
  answerWith(listPath, { status: 200, body: [...(await listed()), { name: 'no MSN' }] })
  expect(await readLists()).toBe(true)
  expect(await readLists()).toBe(true)
})

it('a sales unit that its details say is gone is read again, although its list is unchanged', async () => {
  answerWith(`${listPath}/${msn}`, { status: 404, body: {} })
  await makeOld()
  await kari.open(`${base}/sales-units/${msn}`)
  await test.settled()
  expect((await kari.open(`${base}/sales-units/${msn}`)).status).toBe(410)
  test.api.faults.override = null
  expect(await readLists()).toBe(true)
  expect((await kari.open(`${base}/sales-units/${msn}`)).status).toBe(200)
})
