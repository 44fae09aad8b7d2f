import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { recordAudit } from '../../src/store/audit.ts'
import { createAuditBuffer } from '../../src/store/audit-buffer.ts'
import { type AuditFilter, readAudit } from '../../src/store/audit-log.ts'
import { forgetAudit, startAuditRetention } from '../../src/store/audit-retention.ts'
import type { Database } from '../../src/store/database.ts'
import { openTestDatabase } from '../support/database.ts'
import { createMemoryLog } from '../support/log.ts'

const mona = '12745d37-ce52-55a3-bb28-0479c9d32d7d'
const silent = createLogger('silent')
const everything: AuditFilter = { userIds: [], organisations: [], events: [], since: undefined }

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

const empty = async (): Promise<void> => {
  await database.kysely.transaction().execute(async (db) => {
    const { sql } = await import('kysely')
    await sql`select set_config('portal.audit_retention', 'on', true)`.execute(db)
    await sql`delete from audit`.execute(db)
  })
}
beforeEach(empty)

const read = async (filter: Partial<AuditFilter> = {}, limit?: number) => {
  const all = []
  for await (const rows of readAudit(database.kysely, { ...everything, ...filter }, limit)) all.push(...rows)
  return all
}
const count = async () => (await read()).length

/** The database, but for its inserts, which fail while it is away. */
const away = () => {
  const state = { isAway: true }
  const kysely = new Proxy(database.kysely, {
    get: (target, name) => {
      if (state.isAway) throw new Error('the database is away')
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return { state, database: { ...database, kysely } }
}

describe('entries from pages', () => {
  it('are in the log at once and in the table soon, with the time at which they happened', async () => {
    const { logger, log } = createMemoryLog()
    const buffer = createAuditBuffer(database, logger, { flushMs: 300 })
    buffer.note({
      event: 'page',
      userId: mona,
      organisation: 'partner/1',
      address: '1.2.3.0/24',
      details: { route: '/x' },
    })
    expect(log()).toContain('"event":"page"')
    expect(await count()).toBe(0)
    await expect.poll(count, { timeout: 5000 }).toBe(1)
    const [entry] = await read()
    expect(entry).toMatchObject({
      event: 'page',
      userId: mona,
      organisation: 'partner/1',
      address: '1.2.3.0/24',
    })
    const { rows } = await database.pool.query<{ age: string }>(
      'select extract(epoch from now() - at) as age from audit',
    )
    expect(Number(rows[0]?.age)).toBeGreaterThan(0.25)
    await buffer.stop()
  })

  it('are written at once when there are many, and the rest when the portal stops', async () => {
    const buffer = createAuditBuffer(database, silent, { flushMs: 60_000, atOnce: 10 })
    for (let index = 0; index < 10; index += 1) buffer.note({ event: 'page', details: { index } })
    await expect.poll(count, { timeout: 5000 }).toBe(10)
    buffer.note({ event: 'page' })
    await buffer.stop()
    expect(await count()).toBe(11)
  })

  it('wait while the database is away, up to a bound, and are written when it is back', async () => {
    const { logger, log } = createMemoryLog()
    const { state, database: gone } = away()
    const buffer = createAuditBuffer(gone, logger, { flushMs: 20, mostWaiting: 3 })
    for (let index = 0; index < 5; index += 1) buffer.note({ event: 'page', details: { index } })
    await expect.poll(log).toContain('the audit log cannot be written to the table just now')
    expect(log().match(/"event":"page"/g)).toHaveLength(5)
    state.isAway = false
    await expect.poll(count, { timeout: 5000 }).toBe(3)
    expect((await read()).map(({ details }) => details['index'])).toEqual([0, 1, 2])
    await expect.poll(log).toContain('"lost":2')
    expect(log().match(/cannot be written/g)).toHaveLength(1)
    await buffer.stop()
  })

  it('that the table refuses do not hold up the others', async () => {
    const { logger, log } = createMemoryLog()
    const buffer = createAuditBuffer(database, logger)
    buffer.note({ event: 'page', details: { index: 1 } })
    buffer.note({ event: 'page', userId: 'no uuid' })
    buffer.note({ event: 'page', details: { index: 2 } })
    await buffer.stop()
    expect((await read()).map(({ details }) => details['index'])).toEqual([1, 2])
    expect(log()).toContain('an audit entry cannot be written')
  })

  it('are written once since a moment, where that is asked for', async () => {
    const buffer = createAuditBuffer(database, silent)
    const acting = { event: 'acting as', userId: mona, organisation: 'partner/1' } as const
    buffer.note(acting, new Date(Date.now() - 60_000))
    await buffer.flush()
    buffer.note(acting, new Date(Date.now() - 60_000))
    buffer.note({ ...acting, organisation: 'partner/2' }, new Date(Date.now() - 60_000))
    await buffer.stop()
    expect((await read()).map(({ organisation }) => organisation)).toEqual(['partner/1', 'partner/2'])
  })
})

describe('reading', () => {
  const fill = async (entries: number) =>
    database.pool.query(
      `insert into audit (at, event, user_id, organisation, details)
       select now() - make_interval(mins => $1 - n), case when n % 2 = 0 then 'page' else 'grant' end,
         case when n % 3 = 0 then $2::uuid end, 'partner/' || n % 5, jsonb_build_object('n', n)
       from generate_series(1, $1) n`,
      [entries, mona],
    )
  const numbers = async (filter: Partial<AuditFilter>, limit?: number) =>
    (await read(filter, limit)).map(({ details }) => Number(details['n']))

  it('gives all, the newest last, however many there are', async () => {
    await fill(2500)
    const all = await numbers({})
    expect(all).toEqual(Array.from({ length: 2500 }, (_, index) => index + 1))
    expect(await numbers({}, 1200)).toEqual(all.slice(-1200))
    expect(await numbers({}, 5000)).toEqual(all)
  })

  it('filters by user, organisation, event and time, all at once', async () => {
    await fill(60)
    const since = new Date(Date.now() - 30.5 * 60_000)
    const organisations = ['partner/0', 'partner/1']
    expect(await numbers({ userIds: [mona], organisations, events: ['page'], since })).toEqual([30, 36, 60])
    expect(await numbers({ userIds: [mona], organisations, events: ['page'], since }, 2)).toEqual([36, 60])
  })
})

describe('retention', () => {
  const old = async (days: number) =>
    database.pool.query(`insert into audit (at, event) select now() - make_interval(days => $1), 'page'`, [
      days,
    ])

  it('deletes what is older, and nothing else may', async () => {
    await old(11)
    await old(9)
    await recordAudit(database.kysely, silent, { event: 'page' })
    expect(await forgetAudit(database, 10)).toBe(1)
    expect(await count()).toBe(2)
    expect(await forgetAudit(database, 10)).toBe(0)
    await expect(database.pool.query('delete from audit')).rejects.toThrow('append-only')
    await expect(database.pool.query(`update audit set event = 'x'`)).rejects.toThrow('append-only')
  })

  it('runs in the background, and never for 0 days', async () => {
    await old(500)
    const never = startAuditRetention(database, silent, 0, 1)
    const { logger, log } = createMemoryLog()
    await never()
    expect(await count()).toBe(1)
    const end = startAuditRetention(database, logger, 400, 1)
    await expect.poll(count, { timeout: 5000 }).toBe(0)
    await end()
    expect(log()).toContain('"deleted":1')
  })
})
