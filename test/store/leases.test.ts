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

/** An organisation of its own that is leased and has nothing to read for an hour, and how to lease and release it. */
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

/** Whether another session waits for this one; where all share one session, as on PGlite, none can be seen to. */
async function holdsUpAnother(db: Handle): Promise<boolean> {
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

describe('what is requested while a lease is being released', () => {
  it.each(requests)('is not lost: %s', async (_, request) => {
    const { organisation, key, lease, release } = await leased()
    const { released } = await database.kysely.transaction().execute(async (transaction) => {
      await request(transaction, organisation)
      const pending = release()
      await until(() => holdsUpAnother(transaction))
      // In an object: the transaction must end before the release can.
      return { released: pending }
    })
    await released
    expect(await lease()).toEqual([key])
  })
})
