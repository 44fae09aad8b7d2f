import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { createAuditWriter, recordAudit } from '../../src/store/audit.ts'
import { type AuditFilter, readAudit } from '../../src/store/audit-log.ts'
import { deleteOldAudit } from '../../src/store/audit-retention.ts'
import type { Database } from '../../src/store/database.ts'
import { startRetention } from '../../src/store/retention.ts'
import { openTestDatabase } from '../support/database.ts'
import { createMemoryLog } from '../support/log.ts'

const mona = '12745d37-ce52-55a3-bb28-0479c9d32d7d'
const silentLogger = createLogger('silent')
const everything: AuditFilter = { userIds: [], organisations: [], events: [], since: undefined }

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

async function deleteAll(): Promise<void> {
  await database.kysely.transaction().execute(async (db) => {
    const { sql } = await import('kysely')
    await sql`select set_config('portal.audit_retention', 'on', true)`.execute(db)
    await sql`delete from audit`.execute(db)
  })
}
beforeEach(deleteAll)

async function read(filter: Partial<AuditFilter> = {}, limit?: number) {
  const all = []
  for await (const rows of readAudit(database.kysely, { ...everything, ...filter }, limit)) all.push(...rows)
  return all
}

async function count() {
  return (await read()).length
}

describe('refusals', () => {
  const refusal = { event: 'access refused', userId: mona, organisation: 'partner/1', address: '1.2.3.0/24' } as const
  const noGrant = { ...refusal, details: { reason: 'no grant', route: '/x' } }

  it('that a user repeats are one entry, and one more with their number when the period ends', async () => {
    const { logger } = createMemoryLog()
    const audit = createAuditWriter(database.kysely, logger)
    for (let index = 0; index < 1000; index += 1) {
      audit.noteRefusal({ ...noGrant, address: `1.2.${index % 200}.0/24`, details: { reason: 'no grant', index } })
      audit.noteRefusal({ ...noGrant, organisation: 'partner/2' })
    }
    audit.noteRefusal({ ...refusal, details: { reason: 'role' } })
    await audit.flush()
    const reasons = async () => (await read()).map(({ organisation, details }) => [organisation, details])
    const first = [
      ['partner/1', { reason: 'no grant', index: 0 }],
      ['partner/2', { reason: 'no grant', route: '/x' }],
      ['partner/1', { reason: 'role' }],
    ]
    expect(await reasons()).toEqual(first)
    await audit.close()
    expect(await reasons()).toEqual([
      ...first,
      ['partner/1', { reason: 'no grant', index: 0, repeated: 999 }],
      ['partner/2', { reason: 'no grant', route: '/x', repeated: 999 }],
    ])
  })

  it('are entries of their own after the period', async () => {
    const audit = createAuditWriter(database.kysely, silentLogger, 1)
    audit.noteRefusal(noGrant)
    audit.noteRefusal(noGrant)
    await expect.poll(async () => (await read()).at(-1)?.details['repeated'], { timeout: 10_000 }).toBe(1)
    audit.noteRefusal(noGrant)
    await audit.close()
    expect((await read()).map(({ details }) => details['repeated'])).toEqual([undefined, 1, undefined])
  })

  it('of strangers are in the log only', async () => {
    const { logger, log } = createMemoryLog()
    const audit = createAuditWriter(database.kysely, logger)
    audit.noteRefusal({ event: 'sign-in refused', address: '1.2.3.0/24', details: { reason: 'signInExpired' } })
    await audit.close()
    expect(log()).toContain('"event":"sign-in refused","address":"1.2.3.0/24","reason":"signInExpired"')
    expect(await read()).toEqual([])
  })
})

describe('entries from pages', () => {
  it('are logged at once and inserted in order', async () => {
    const { logger, log } = createMemoryLog()
    const audit = createAuditWriter(database.kysely, logger)
    const who = { userId: mona, organisation: 'partner/1', address: '1.2.3.0/24' }
    for (let index = 0; index < 20; index += 1) audit.note({ event: 'page', ...who, details: { route: '/x', index } })
    expect(log().match(/"event":"page"/g)).toHaveLength(20)
    await audit.flush()
    const all = await read()
    expect(all.map(({ details }) => details['index'])).toEqual(Array.from({ length: 20 }, (_, index) => index))
    expect(all[0]).toMatchObject({ event: 'page', ...who, details: { route: '/x' } })
  })

  it('that the database refuses are logged with the reason and do not block other entries', async () => {
    const { logger, log } = createMemoryLog()
    const audit = createAuditWriter(database.kysely, logger)
    audit.note({ event: 'page', details: { index: 1 } })
    audit.note({ event: 'page', userId: 'no uuid' })
    audit.note({ event: 'page', details: { index: 2 } })
    await audit.flush()
    expect((await read()).map(({ details }) => details['index'])).toEqual([1, 2])
    expect(log()).toContain('"userId":"no uuid"')
    expect(log()).toMatch(/invalid input syntax for type uuid.*audit insert failed: the entry is in the log only/)
  })

  it('noted with a start time are inserted once since then', async () => {
    const audit = createAuditWriter(database.kysely, silentLogger)
    const acting = { event: 'acting as', userId: mona, organisation: 'partner/1' } as const
    const since = new Date(Date.now() - 60_000)
    audit.note(acting, since)
    audit.note(acting, since)
    audit.note({ ...acting, organisation: 'partner/2' }, since)
    await audit.flush()
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

  it('returns all entries, the newest last', async () => {
    await fill(2500)
    const all = await numbers({})
    expect(all).toEqual(Array.from({ length: 2500 }, (_, index) => index + 1))
    expect(await numbers({}, 1200)).toEqual(all.slice(-1200))
    expect(await numbers({}, 5000)).toEqual(all)
  })

  it('filters by user, organisation, event and time together', async () => {
    await fill(60)
    const since = new Date(Date.now() - 30.5 * 60_000)
    const organisations = ['partner/0', 'partner/1']
    expect(await numbers({ userIds: [mona], organisations, events: ['page'], since })).toEqual([30, 36, 60])
    expect(await numbers({ userIds: [mona], organisations, events: ['page'], since }, 2)).toEqual([36, 60])
  })
})

describe('retention', () => {
  const old = async (days: number) =>
    database.pool.query(`insert into audit (at, event) select now() - make_interval(days => $1), 'page'`, [days])

  it('deletes older entries; all other changes are refused', async () => {
    await old(11)
    await old(9)
    await recordAudit(database.kysely, silentLogger, { event: 'page' })
    expect(await deleteOldAudit(database, 10)).toBe(1)
    expect(await count()).toBe(2)
    expect(await deleteOldAudit(database, 10)).toBe(0)
    await expect(database.pool.query('delete from audit')).rejects.toThrow('append-only')
    await expect(database.pool.query(`update audit set event = 'x'`)).rejects.toThrow('append-only')
  })

  it('runs in the background, but not with 0 days', async () => {
    await old(500)
    const never = startRetention(database, silentLogger, { audit: 0, history: 0, users: 0 }, 1)
    const { logger, log } = createMemoryLog()
    await never()
    expect(await count()).toBe(1)
    const end = startRetention(database, logger, { audit: 400, history: 0, users: 0 }, 1)
    await expect.poll(count, { timeout: 5000 }).toBe(0)
    await end()
    expect(log()).toContain('"deleted":1')
  })
})
