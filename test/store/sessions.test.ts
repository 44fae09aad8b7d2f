import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Database, Handle } from '../../src/store/database.ts'
import {
  endOldestSessions,
  endSessionsOfEid,
  endSessionsOfUser,
  findSession,
  insertSession,
  sessionsOfUser,
  updateSession,
} from '../../src/store/sessions.ts'
import { saveUser } from '../../src/store/users.ts'
import { openTestDatabase } from '../support/database.ts'

const kari = '12745d37-ce52-55a3-bb28-0479c9d32d7d'
let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
  const user = { id: kari, issuer: 'https://eid.example', subject: 'kari', name: 'Kari', email: null }
  await saveUser(database.kysely, user)
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.pool.query('delete from sessions')
})

const minute = 60_000
/** A session of Kari, last used at this moment. */
function session(id: string, at: Date) {
  return {
    id,
    user_id: kari,
    signed_in_at: at,
    last_used_at: at,
    ends_at: new Date(at.getTime() + 30 * minute),
    eid_session_id: `eid-${id}`,
    data: { csrfToken: 'x' },
  }
}

describe('a session at the end of summer time in Europe/Oslo', () => {
  // 03:00 becomes 02:00 at 01:00 UTC: every wall-clock time in between occurs twice.
  const starts = Array.from({ length: 19 }, (_, index) => new Date(Date.UTC(2026, 9, 24, 23, 30 + 10 * index)))
  beforeEach(() => {
    vi.stubEnv('TZ', 'Europe/Oslo')
  })
  afterEach(() => vi.unstubAllEnvs())

  /** Runs `work` in a transaction with this time zone. */
  const inOslo = (work: (db: Handle) => Promise<void>) =>
    database.kysely.transaction().execute(async (db) => {
      await sql`set local timezone to 'Europe/Oslo'`.execute(db)
      await work(db)
    })

  it.each(starts)('ends exactly 30 minutes after its last use: %o', async (start) => {
    const later = (minutes: number) => new Date(start.getTime() + minutes * minute)
    expect(new Date('2026-10-25T01:30Z').getHours()).toBe(2)
    await inOslo(async (db) => {
      await insertSession(db, session('one', start))
      const found = async (minutes: number) => {
        const now = later(minutes)
        const listed = await sessionsOfUser(db, kari, new Date(start.getTime() - 1), now)
        return [(await findSession(db, 'one', now))?.endsAt, listed.map(({ signedInAt }) => signedInAt)]
      }
      expect(await found(29)).toEqual([later(30), [start]])
      expect(await found(31)).toEqual([undefined, []])
      expect(await endSessionsOfUser(db, kari, {}, later(31))).toBe(0)
      expect(await endSessionsOfEid(db, { userId: kari }, later(31))).toEqual([])
      await updateSession(db, 'one', { last_used_at: later(29), ends_at: later(59) })
      expect(await found(58)).toEqual([later(59), [start]])
      expect(await found(60)).toEqual([undefined, []])
      // The next sign-in deletes ended sessions only.
      await insertSession(db, session('two', later(58)))
      expect(await findSession(db, 'one', later(58))).toBeDefined()
      await insertSession(db, session('three', later(60)))
      expect(await findSession(db, 'one', later(58))).toBeUndefined()
      expect(await endOldestSessions(db, kari, 1, later(60))).toBe(1)
      expect(await findSession(db, 'three', later(60))).toBeDefined()
    })
  })
})

describe('an ended session', () => {
  it('is not restored by an update', async () => {
    const db = database.kysely
    await insertSession(db, session('one', new Date()))
    expect(await endSessionsOfUser(db, kari, { except: 'two' })).toBe(1)
    expect(await updateSession(db, 'one', { data: {} })).toBe(false)
    expect(await updateSession(db, 'one', { id: 'two' })).toBe(false)
    expect((await db.selectFrom('sessions').selectAll().execute()).length).toBe(0)
  })

  it('is also ended under a new ID from a concurrent request', async () => {
    const db = database.kysely
    await insertSession(db, session('one', new Date()))
    const ending = await db.transaction().execute(async (renewal) => {
      await updateSession(renewal, 'one', { id: 'new' })
      const begun = endSessionsOfEid(db, { eidSid: 'eid-one' })
      expect(await findSession(renewal, 'new')).toBeDefined()
      return { begun }
    })
    expect(await ending.begun).toEqual([kari])
    for (const id of ['one', 'new']) expect(await findSession(db, id)).toBeUndefined()
  })
})
