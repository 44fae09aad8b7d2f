import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { DatabaseUnavailableError } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import type { Partner } from '../../src/domain/organisation.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { addGrant, listGrants, removeGrant } from '../../src/store/grants.ts'
import { migrate, schemaVersion } from '../../src/store/migrations.ts'
import { findUser, findUserWithGrants, listUsers, saveUser, saveVouchedEmail } from '../../src/store/users.ts'
import { createMemoryLog } from '../support/log.ts'
import { createTestSchema, isServer, openEmptyTestDatabase, openTestDatabase } from '../support/database.ts'

const mona = {
  id: '12745d37-ce52-55a3-bb28-0479c9d32d7d',
  issuer: 'https://eid.example',
  subject: 'mona',
  name: 'Møna Ås',
  email: 'mona@example.com',
}

const unknownUserId = '00000000-0000-5000-8000-000000000000'
const logger = createLogger('silent')
const bikes: Partner = { kind: 'partner', id: '12345', name: 'Bikes' }

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

describe('migrations', () => {
  it('bring an empty database up to date, even when several instances start at once', async () => {
    const empty = await openEmptyTestDatabase()
    try {
      expect(await schemaVersion(empty)).toBe('empty')
      await Promise.all([migrate(empty, logger), migrate(empty, logger), migrate(empty, logger)])
      expect(await schemaVersion(empty)).toBe('current')
      await migrate(empty, logger)
    } finally {
      await empty.close()
    }
  })

  it('restore the statement timeout', async () => {
    const before = await database.pool.query('show statement_timeout')
    await migrate(database, logger)
    const clients = await Promise.all([1, 2].map(() => database.pool.connect()))
    const after = await Promise.all(clients.map((client) => client.query('show statement_timeout')))
    for (const client of clients) client.release()
    expect(after.map(({ rows }) => rows)).toEqual(clients.map(() => before.rows))
  })

  it('log that they wait for another instance', async () => {
    const { logger: log, log: logged } = createMemoryLog()
    const other = await database.pool.connect()
    await other.query('begin')
    await other.query(`select pg_advisory_xact_lock(hashtext(current_schema() || ' migrations'))`)
    const migrated = migrate(database, log, { sayMs: 20 })
    await vi.waitFor(() => expect(logged()).toContain('migration waits: another instance is migrating'))
    await other.query('commit')
    other.release()
    await migrated
  })

  it('refuse a read-only database, with the remedy', async () => {
    const url = new URL(await createTestSchema())
    url.searchParams.set('options', `${url.searchParams.get('options')} -c default_transaction_read_only=on`)
    const readOnly = openDatabase({ url: url.href, logger })
    await expect(migrate(readOnly, logger)).rejects.toThrow(
      /^the database is read-only \(default_transaction_read_only is on\): alter role \w+ set default_transaction_read_only = off$/,
    )
    await readOnly.close()
  })

  it('refuse a search_path without a usable schema, with the remedy', async () => {
    const url = new URL(await createTestSchema())
    url.searchParams.set('options', '-c search_path=missing')
    const lost = openDatabase({ url: url.href, logger })
    await expect(migrate(lost, logger)).rejects.toThrow(/search_path \(missing\).*alter role \w+ set search_path/)
    await lost.close()
  })

  it('tell of the merchants of an older database when they were first seen and last changed', async () => {
    const older = await openTestDatabase()
    try {
      await older.pool.query(`
        delete from migrations where name > '0003';
        alter table merchant_summaries drop first_seen_at;
        drop index merchant_summaries_removed, product_orders_removed, merchants_removed;
        insert into sales_units (organisation, key, name, scheme, business_id, first_seen_at, changed_at, last_seen_at)
        values ('partner/1', '1', 'One', 's', 'both', '2026-01-02', '2026-01-03', now()),
          ('partner/1', '2', 'Two', 's', 'both', '2026-01-04', '2026-01-05', now()),
          ('partner/1', '3', 'Three', null, null, '2025-01-01', '2026-02-01', now());
        insert into product_orders (organisation, key, status, scheme, business_id, first_seen_at, changed_at, last_seen_at)
        values ('partner/1', 'a', 'COMPLETED', 's', 'both', '2026-01-03', '2026-01-04', now());
        insert into merchants (organisation, key, name, first_seen_at, changed_at, last_seen_at)
        values ('partner/1', 's/both', 'Both', '2026-01-06', '2026-01-06', now()),
          ('partner/1', 's/none', 'None', '2026-01-07', '2026-01-08', now()),
          ('partner/2', 's/both', 'Both', '2026-01-01', '2026-01-09', now());
        insert into merchant_summaries (organisation, key, scheme, business_id, sales_units, orders, open_orders, changed_at)
        values ('partner/1', 's/both', 's', 'both', 2, 1, 0, '2026-01-06'),
          ('partner/1', 's/none', 's', 'none', 0, 0, 0, '2026-01-08'),
          ('partner/1', 's/lost', 's', 'lost', 0, 0, 0, '2026-01-10')`)
      await migrate(older, logger)
      const { rows } = await older.pool.query(`
        select business_id as id, first_seen_at::date::text as first, changed_at::date::text as last
        from merchant_summaries order by key`)
      expect(rows).toEqual([
        { id: 'both', first: '2026-01-02', last: '2026-01-05' },
        { id: 'lost', first: '2026-01-10', last: '2026-01-10' },
        { id: 'none', first: '2026-01-07', last: '2026-01-08' },
      ])
    } finally {
      await older.close()
    }
  })

  it('refuse a database of a newer portal', async () => {
    const newer = await openTestDatabase()
    try {
      await newer.pool.query(`insert into migrations values ('9999-later')`)
      expect(await schemaVersion(newer)).toBe('newer')
      await expect(migrate(newer, logger)).rejects.toThrow(/9999-later/)
      await expect(migrate(newer, logger)).rejects.toBeInstanceOf(DatabaseUnavailableError)
    } finally {
      await newer.close()
    }
  })
})

describe('users', () => {
  it('are stored at the first sign-in and updated at the next', async () => {
    await saveUser(database.kysely, mona)
    const first = await findUser(database.kysely, mona.id)
    // The address from the eID is not verified, so the portal does not use it.
    expect(first).toMatchObject({ ...mona, email: null })
    expect(await saveVouchedEmail(database.kysely, mona.id, 'mona@example.com')).toBe(true)
    expect(await saveVouchedEmail(database.kysely, mona.id, 'other@example.com')).toBe(false)
    await saveUser(database.kysely, { ...mona, name: 'Mona Nå', email: null })
    const second = await findUser(database.kysely, mona.id)
    expect(second).toMatchObject({
      name: 'Mona Nå',
      email: 'mona@example.com',
      firstSignedInAt: first?.firstSignedInAt,
    })
    expect(second!.lastSignedInAt.getTime()).toBeGreaterThan(first!.lastSignedInAt.getTime())
    expect((await listUsers(database.kysely)).map(({ id }) => id)).toEqual([mona.id])
  })

  it('are undefined when unknown', async () => {
    expect(await findUser(database.kysely, unknownUserId)).toBeUndefined()
    expect(await findUserWithGrants(database.kysely, unknownUserId)).toBeUndefined()
  })
})

describe('grants', () => {
  const shop = { kind: 'merchant', scheme: 'business:NO:ORG', id: '987654321' } as const

  it('are loaded with their user while they are in force', async () => {
    const { kysely } = database
    await saveUser(kysely, mona)
    await addGrant(kysely, { kind: 'partner', id: '777' }, unknownUserId)
    const grantsNow = async () => Object.fromEntries((await findUserWithGrants(kysely, mona.id))?.grants ?? [])
    expect(await grantsNow()).toEqual({})
    await addGrant(kysely, bikes, mona.id)
    await addGrant(kysely, shop, mona.id, { role: 'developer', until: '2999-12-31' })
    const both = {
      'merchant/business:NO:ORG/987654321': { role: 'developer', until: '2999-12-31' },
      'partner/12345': { role: 'viewer', until: null },
    }
    expect(await grantsNow()).toEqual(both)
    const { id, name, email } = mona
    expect(await findUserWithGrants(kysely, mona.id)).toMatchObject({ id, name, email, eidEmail: email })
    await addGrant(kysely, bikes, mona.id, { role: 'developer', until: '2020-01-31' })
    expect(Object.keys(await grantsNow())).toEqual(['merchant/business:NO:ORG/987654321'])
    expect(await removeGrant(kysely, bikes, mona.id)).toBe(true)
    expect(await removeGrant(kysely, bikes, mona.id)).toBe(false)
  })

  it('end at the end of their last day in UTC', async () => {
    const { kysely, pool } = database
    const today = new Date().toISOString().slice(0, 10)
    await addGrant(kysely, bikes, mona.id, { until: today })
    const { rows } = await pool.query<{ ends: string }>(
      `select to_char(ends_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as ends from grants where user_id = $1 and organisation = 'partner/12345'`,
      [mona.id],
    )
    const tomorrow = new Date(Date.parse(today) + 86_400_000).toISOString().slice(0, 10)
    expect(rows[0]?.ends).toBe(`${tomorrow} 00:00:00.000000`)
    const has = async () => (await findUserWithGrants(kysely, mona.id))?.grants.get('partner/12345')
    expect(await has()).toEqual({ role: 'viewer', until: today })
    await pool.query(`update grants set ends_at = now() where organisation = 'partner/12345'`)
    expect(await has()).toBeUndefined()
    await removeGrant(kysely, bikes, mona.id)
  })

  it('can be added before the first sign-in, and belong to one user', async () => {
    await addGrant(database.kysely, bikes, unknownUserId, { by: 'kim', reason: 'new here' })
    expect(await listGrants(database.kysely)).toContainEqual({
      userId: unknownUserId,
      userName: null,
      organisation: 'partner/12345',
      grantedAt: expect.any(Date),
      role: 'viewer',
      until: null,
      isOver: false,
      by: 'kim',
      reason: 'new here',
    })
    expect((await findUserWithGrants(database.kysely, mona.id))?.grants.has('partner/12345')).toBe(false)
  })
})

it('a closed database rejects queries, and can be closed twice', async () => {
  const closed = await openEmptyTestDatabase()
  await closed.pool.query('select 1')
  await Promise.all([closed.close(), closed.close()])
  await expect(closed.pool.query('select 1')).rejects.toThrow(DatabaseUnavailableError)
})

it('a failed transaction is rolled back', async () => {
  const id = '12745d37-ce52-55a3-bb28-0479c9d32d7e'
  const failing = database.kysely.transaction().execute(async (transaction) => {
    await saveUser(transaction, { ...mona, id, subject: 'other' })
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await findUser(database.kysely, id)).toBeUndefined()
})

it.each([
  ['a query', (unreachable: Database) => listUsers(unreachable.kysely)],
  ['migrate()', (unreachable: Database) => migrate(unreachable, logger)],
])('the error about an unreachable PostgreSQL does not show the password: %s', async (_attempt, run) => {
  const url = 'postgres://portal:hunter2@127.0.0.1:1/portal'
  const unreachable = openDatabase({ url, logger })
  const attempt = run(unreachable)
  await expect(attempt).rejects.toThrow(DatabaseUnavailableError)
  await expect(attempt).rejects.toThrow(/^(?!.*hunter2).*cannot connect/)
  await unreachable.close()
})

it('the statement timeout is 30 seconds, unless the URL sets another', async () => {
  const settings = `select current_setting('statement_timeout') as timeout, current_setting('application_name') as name`
  expect((await database.pool.query(settings)).rows).toEqual([{ timeout: '30s', name: 'partner-portal' }])
  const url = new URL(await createTestSchema())
  url.searchParams.set('statement_timeout', '5000')
  url.searchParams.set('application_name', 'other')
  const other = openDatabase({ url: url.href, logger })
  expect((await other.pool.query(settings)).rows).toEqual([{ timeout: '5s', name: 'other' }])
  await other.close()
})

it('the error about an unreachable PostgreSQL says once why, and where', async () => {
  const unreachable = openDatabase({ url: 'postgres://portal:hunter2@127.0.0.1:1/portal', logger })
  await expect(listUsers(unreachable.kysely)).rejects.toThrow(
    /^cannot connect to the database: connect ECONNREFUSED 127\.0\.0\.1:1$/,
  )
  await unreachable.close()
})

// Statements of other test files reset the session of the embedded PostgreSQL, which all share.
it.runIf(isServer())('times are read right whatever date style, time zone and quoting the server has', async () => {
  const url = new URL(await createTestSchema())
  const oddities = '-c datestyle=SQL,DMY -c timezone=Europe/Oslo -c standard_conforming_strings=off'
  url.searchParams.set('options', `${url.searchParams.get('options')} ${oddities}`)
  const odd = openDatabase({ url: url.href, logger })
  await migrate(odd, logger)
  await addGrant(odd.kysely, bikes, mona.id, { until: '2999-03-12' })
  const [grant] = await listGrants(odd.kysely)
  expect(grant?.until).toBe('2999-03-12')
  expect(Math.abs(grant!.grantedAt.getTime() - Date.now())).toBeLessThan(600_000)
  await odd.close()
})

it.each([
  [10, 2],
  [6, 2],
  [40, 8],
])('of %i connections %i are for sessions and commands', async (connections, share) => {
  const opened = openDatabase({ url: await createTestSchema(), logger, connections })
  expect(opened.pool.options.max).toBe(share)
  await opened.close()
})
