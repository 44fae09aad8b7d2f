import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { organisationKey, type Partner } from '../../src/domain/organisation.ts'
import type { Database, Handle } from '../../src/store/database.ts'
import { addLists, makeDue, requestRefresh } from '../../src/store/due.ts'
import { addOrganisations, leaseOrganisations, releaseLease } from '../../src/store/leases.ts'
import { noteOutcomes } from '../../src/store/sync-state.ts'
import { openTestDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'

const instance = randomUUID()
let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

/** A new leased organisation with nothing due for an hour, and functions to lease and release it. */
async function leased() {
  const db = database.kysely
  const organisation: Partner = { kind: 'partner', id: randomUUID(), name: 'Bikes' }
  const key = organisationKey(organisation)
  const lease = () => leaseOrganisations(db, { instance, organisations: [key], limit: 1 })
  const release = () => releaseLease(db, instance, key, { pauseSeconds: 0, isUnfinished: false })
  await addLists(db, [{ organisation: key, resource: 'salesUnits', key: '' }])
  await addOrganisations(db, [key])
  expect(await lease()).toEqual([key])
  await noteOutcomes(db, organisation, [{ resource: 'salesUnits', key: '', askedMs: 0, nextSeconds: 3600 }], 0)
  return { organisation, key, lease, release }
}

/** Whether another session waits for a lock of this one; on PGlite all share one session, so it is always true. */
async function blocksAnother(db: Handle): Promise<boolean> {
  const { rows } = await sql<{ isSo: boolean }>`
    select exists (select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid)))
      or version() like '%emscripten%' as "isSo"`.execute(db)
  return rows[0]?.isSo ?? false
}

type Request = (db: Handle, organisation: Partner) => Promise<void>
const requests: [what: string, request: Request][] = [
  ['a refresh', (db, organisation) => requestRefresh(db, organisation, 'salesUnit', ['124680'])],
  ['all lists', (db, organisation) => makeDue(db, organisation, { listsOnly: true })],
]

describe('a request during the release of a lease', () => {
  it.each(requests)('is not lost: %s', async (_, request) => {
    const { organisation, key, lease, release } = await leased()
    const { released } = await database.kysely.transaction().execute(async (transaction) => {
      await request(transaction, organisation)
      const pending = release()
      await until(() => blocksAnother(transaction))
      // In an object, so that it is not awaited here: the transaction must end before the release can.
      return { released: pending }
    })
    await released
    expect(await lease()).toEqual([key])
  })
})
