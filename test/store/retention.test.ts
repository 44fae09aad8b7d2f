import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { deleteOldChanges } from '../../src/store/changes.ts'
import type { Database } from '../../src/store/database.ts'
import { addGrant } from '../../src/store/grants.ts'
import { startRetention } from '../../src/store/retention.ts'
import { saveUser } from '../../src/store/users.ts'
import { openTestDatabase } from '../support/database.ts'
import { createMemoryLog } from '../support/log.ts'
import { until } from '../support/until.ts'

const mona = '12745d37-ce52-55a3-bb28-0479c9d32d7d'
const kim = '22745d37-ce52-55a3-bb28-0479c9d32d7d'
const forEver = { audit: 0, history: 0, users: 0 }

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.pool.query('delete from grants; delete from users; delete from sessions')
  for (const [id, subject] of [
    [mona, 'mona'],
    [kim, 'kim'],
  ] as const)
    await saveUser(database.kysely, { id, issuer: 'https://eid.example', subject, name: subject, email: null })
})

async function count(table: string): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(`select count(*)::int as count from ${table}`)
  return rows[0]?.count ?? 0
}

/** Runs one sweep in the background, as the portal does, and ends it once `isDone`. */
async function sweep(days: typeof forEver, isDone: () => Promise<boolean>): Promise<string> {
  const { logger, log } = createMemoryLog()
  const end = startRetention(database, logger, days, 1)
  await until(isDone)
  await end()
  return log()
}

it('deletes codes with their addresses an hour after they were sent', async () => {
  for (const [user, minutes] of [
    [mona, 61],
    [kim, 59],
  ] as const) {
    const values = [user, minutes]
    await database.pool.query(
      `insert into email_codes (user_id, email, code_mac, sent_at)
       values ($1, 'third-party@example.com', 'mac', now() - make_interval(mins => $2))`,
      values,
    )
    await database.pool.query(
      `insert into code_mails (user_id, mailbox_mac, domain_mac, own, at)
       values ($1, 'mac', 'mac', false, now() - make_interval(mins => $2))`,
      values,
    )
  }
  const log = await sweep(forEver, async () => (await count('email_codes')) < 2)
  const { rows } = await database.pool.query('select user_id from email_codes')
  expect(rows).toEqual([{ user_id: kim }])
  expect(await count('code_mails')).toBe(1)
  expect(log).toContain('"what":"expired e-mail codes"')
  expect(log).not.toContain('third-party')
})

it('deletes ended sessions, also when nobody signs in', async () => {
  await database.pool.query(
    `insert into sessions (id, user_id, signed_in_at, last_used_at, ends_at, data)
     values ('old', $1, now(), now() - interval '2 hours', now() - interval '1 hour', '{}'),
       ('new', $1, now(), now(), now() + interval '1 hour', '{}')`,
    [mona],
  )
  await sweep(forEver, async () => (await count('sessions')) < 2)
  expect((await database.pool.query('select id from sessions')).rows).toEqual([{ id: 'new' }])
})

it('removes users who have not signed in for the days of the setting, with an audit entry and without a name', async () => {
  for (const user of [mona, kim]) await addGrant(database.kysely, { kind: 'partner', id: '12345' }, user)
  await database.pool.query(`update users set last_signed_in_at = now() - interval '366 days' where id = $1`, [mona])
  const log = await sweep({ ...forEver, users: 365 }, async () => (await count('users')) < 2)
  expect((await database.pool.query('select id from users')).rows).toEqual([{ id: kim }])
  expect((await database.pool.query('select user_id from grants')).rows).toEqual([{ user_id: kim }])
  const audit = await database.pool.query(`select user_id, details from audit where event = 'user removed'`)
  expect(audit.rows).toEqual([{ user_id: mona, details: { reason: 'inactive', days: 365 } }])
  expect(log).toContain('"event":"user removed"')
})

it('deletes old history in batches, and nothing else may change it', async () => {
  await database.pool.query(
    `insert into changes (organisation, at, resource, key, kind, fields)
     select 'partner/1', now() - make_interval(days => n % 2 * 20), 'salesUnit', n::text, 'added', '{}'
     from generate_series(1, 24000) n`,
  )
  await database.pool.query(
    `insert into price_packages (organisation, key, first_seen_at, last_seen_at, changed_at, removed_at, removed_by)
     values ('partner/1', 'p', now() - interval '90 days', now(), now(), now() - interval '80 days', 'list')`,
  )
  const silent = createLogger('silent')
  const never = startRetention(database, silent, forEver, 1)
  await never()
  expect(await count('changes')).toBe(24_000)
  await sweep({ ...forEver, history: 10 }, async () => (await count('changes')) <= 12_000)
  expect(await count('changes')).toBe(12_000)
  expect(await deleteOldChanges(database, 10)).toBe(0)
  // What lists and charts need is in the records.
  expect(await count('price_packages')).toBe(1)
  for (const statement of ['delete from changes', `update changes set kind = 'removed'`, 'truncate changes'])
    await expect(database.pool.query(statement)).rejects.toThrow('append-only')
})
