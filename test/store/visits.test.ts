import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import type { Database } from '../../src/store/database.ts'
import { saveUser } from '../../src/store/users.ts'
import { findVisit, noteVisit } from '../../src/store/visits.ts'
import { openTestDatabase } from '../support/database.ts'

const partner = { kind: 'partner', id: '12345', name: 'Nordlys Platform AS' } as const

/** As if the last page view was so many minutes ago. @returns its time */
async function viewedAgo({ kysely }: Database, minutes: number): Promise<Date> {
  const at = new Date(Date.now() - minutes * 60_000)
  await kysely.updateTable('visits').set({ seen_at: at }).execute()
  return at
}

it('page views are of one visit until half an hour passes without one', async () => {
  const database = await openTestDatabase()
  const { kysely } = database
  const id = randomUUID()
  await saveUser(kysely, { id, issuer: 'https://eid.example', subject: 'a', name: null, email: null })
  const visit = async () => findVisit(kysely, partner, id)
  const note = async () => noteVisit(kysely, partner, id)
  expect(await visit()).toEqual({ number: 1, lastAt: undefined })
  await note()
  expect(await visit()).toEqual({ number: 1, lastAt: undefined })
  await viewedAgo(database, 29)
  await note()
  expect(await visit()).toEqual({ number: 1, lastAt: undefined })

  const lastAt = await viewedAgo(database, 31)
  expect(await visit()).toEqual({ number: 2, lastAt })
  await note()
  expect(await visit()).toEqual({ number: 2, lastAt })
  await viewedAgo(database, 10)
  await note()
  expect(await visit()).toEqual({ number: 2, lastAt })
  await database.close()
})
