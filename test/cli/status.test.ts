import { afterAll, beforeAll, expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { createLogger } from '../../src/logger.ts'
import { type Organisation, organisationKey } from '../../src/domain/organisation.ts'
import type { Database } from '../../src/store/database.ts'
import { openTestDatabase } from '../support/database.ts'

const bikes: Organisation = { kind: 'partner', id: '12345', name: 'Bikes & Co' }
const shop: Organisation = { kind: 'merchant', scheme: 'business:NO:ORG', id: '987654321', name: 'Ås Sykkel' }

const noNotices = 'Notices: 0 waiting (0 after a failure), 0 given up.'

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())

function status(organisations: readonly Organisation[], values: readonly string[] = []) {
  return runCommand(
    {
      database,
      organisations: new Map(organisations.map((one) => [organisationKey(one), one])),
      logger: createLogger('silent'),
      sync: () => Promise.reject(new Error('nothing is read')),
    },
    ['status', ...values],
    { tell: () => {}, signal: new AbortController().signal, operator: 'kim' },
  )
}

function insert(resource: string, keys: number, columns: Record<string, string>, organisation: Organisation = bikes) {
  return database.pool.query(
    `insert into sync_state (organisation, resource, key, ${Object.keys(columns).join()})
    select $1, $2, case when $3 = 0 then '' else number::text end, ${Object.values(columns).join()}
    from generate_series(1, greatest($3, 1)) number`,
    [organisationKey(organisation), resource, keys],
  )
}

function cells(line: string | undefined): string[] {
  return (line ?? '').split(/ {2,}/)
}

it('status says when nothing has been read, or there is nothing to read', async () => {
  expect(await status([])).toMatchObject({
    exitCode: 0,
    output: 'There are no organisations in the organisations file (ORGANISATIONS_FILE).',
  })
  expect(await status([shop])).toEqual({
    exitCode: 0,
    error: '',
    output: 'merchant business:NO:ORG 987654321: not synced yet.\nOrganisations: 0 syncing, 0 due.\n' + noNotices,
  })
  expect(await status([shop], ['now'])).toMatchObject({ exitCode: 2 })
})

it('status prints a line per resource with its age and failures', async () => {
  const later = `now() + interval '1 hour'`
  const ago = (minutes: string) => `now() - interval '1 minute' * (${minutes})`
  await insert('salesUnits', 0, { due_at: later, checked_at: ago('3'), total: '1200' })
  await insert('salesUnit', 1200, { due_at: later, checked_at: ago('number / 10.0 + 5') })
  await insert('merchant', 30, { due_at: `'epoch'` })
  await insert('webhooks', 0, {
    due_at: later,
    failing_since: ago('125'),
    failures: '4',
    failure: `'refused'`,
  })
  await insert('templates', 0, {
    due_at: later,
    checked_at: ago('10'),
    suspect_since: ago('0.5'),
    total: '5',
  })
  await insert('productOrder', 7, { due_at: `'infinity'`, checked_at: ago('1') })
  await insert('salesUnits', 0, { due_at: `'epoch'` }, shop)
  const { output, exitCode } = await status([bikes, shop])
  expect(exitCode).toBe(0)
  const lines = output.split('\n')
  expect(lines.slice(0, 7).map(cells)).toEqual([
    ['ORGANISATION', 'WHAT', 'ROWS', 'LAST READ', 'DUE', 'NEVER READ', 'FAILING', 'SUSPECT'],
    ['merchant business:NO:ORG 987654321', 'list of sales units', '-', 'never', '1', '1', '-', '-'],
    ['partner 12345', 'list of sales units', '1 200', '3 min ago', '-', '-', '-', '-'],
    ['partner 12345', 'list of product order templates', '5', '10 min ago', '-', '-', '-', 'for 30 s'],
    ['partner 12345', 'list of webhooks', '-', 'never', '-', '1', '1 for 2 h: the API refused the credentials', '-'],
    ['partner 12345', 'sales units', '1 200', '2 h to 5 min ago', '-', '-', '-', '-'],
    ['partner 12345', 'merchants', '30', 'never', '30', '30', '-', '-'],
  ])
  expect(lines.slice(7)).toEqual(['', 'Organisations: 0 syncing, 0 due.', noNotices])
})

it('status says what the API said, and which members of records cannot be read', async () => {
  const partner: Organisation = { kind: 'partner', id: '777', name: 'Odd' }
  const failing = { due_at: 'now()', failing_since: 'now()', failures: '1' }
  await insert(
    'webhooks',
    0,
    { ...failing, failure: `'limited'`, failure_said: `'403 Out of call volume quota.'` },
    partner,
  )
  await insert('salesUnits', 0, { ...failing, failure: `'unavailable'` }, partner)
  for (const [key, unread] of [
    ['a', { 'businessAddress.lines[0]': null, name: { secret: 1 } }],
    ['b', { 'businessAddress.lines[1]': null, 'businessAddress.lines[2]': null }],
  ] as const)
    await database.pool.query(
      `insert into merchants (organisation, key, name, first_seen_at, last_seen_at, changed_at, details)
      values ('partner/777', $1, 'x', now(), now(), now(), $2)`,
      [key, JSON.stringify({ _unread: unread })],
    )
  const { output } = await status([partner])
  const lines = output.split('\n').map(cells)
  expect(lines[1]?.[6]).toBe('1 for 0 s: the API did not answer')
  expect(lines[2]?.[6]).toBe('1 for 0 s: the API asked to wait (403 Out of call volume quota.)')
  expect(lines.slice(4, 7)).toEqual([
    ['ORGANISATION', 'RECORDS', 'MEMBER THAT CANNOT BE READ', 'IN', 'EXAMPLE IS'],
    ['partner 777', 'merchants', 'businessAddress.lines[]', '2', 'null'],
    ['partner 777', 'merchants', 'name', '1', 'object'],
  ])
  expect(output).not.toContain('secret')
})

it('status counts the notices that wait, are tried again, and were given up', async () => {
  await database.pool.query(
    `with channel as (
       insert into notice_channels (organisation, kind, url, language, events, added_by)
       values ('partner/12345', 'slack', 'https://hooks.example/x', 'en', '{}', 'kim') returning id)
     insert into notices (organisation, channel_id, kind, after_change, until_change, after_at, until_at, due_at,
       tries, sent_at, failed_at)
     select 'partner/12345', id, 'events', 0, 1, now(), now(), now(), tries, sent, failed
     from channel, (values (0, null::timestamptz, null::timestamptz), (2, null, null), (10, null, now()),
       (1, now(), null)) v (tries, sent, failed)`,
  )
  expect((await status([bikes])).output).toContain('Notices: 2 waiting (1 after a failure), 1 given up.')
})
