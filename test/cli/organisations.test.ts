import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CommandCall, CommandDeps } from '../../src/cli/command.ts'
import { runCommand } from '../../src/cli/commands.ts'
import { readOrganisationsFile } from '../../src/config/organisations-file.ts'
import { organisationKey } from '../../src/domain/organisation.ts'
import { createLogger } from '../../src/logger.ts'
import { addGrant } from '../../src/store/grants.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/until.ts'

let test: TestPortal
let kari: Browser
let asked: string[] = []
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

/** Runs a command as a process with the organisations file of now does. */
async function run(line: string, answer: boolean | 'no terminal' = true, deps: Partial<CommandDeps> = {}) {
  asked = []
  const confirm = async (question: string) => {
    asked.push(question)
    return answer === true
  }
  const call: CommandCall = {
    tell: () => {},
    signal: new AbortController().signal,
    operator: 'kim',
    confirm: answer === 'no terminal' ? undefined : confirm,
  }
  const { organisations } = readOrganisationsFile(test.organisationsFile, {})
  return runCommand(
    {
      database: test.portal.database,
      organisations: new Map(organisations.map(({ organisation }) => [organisationKey(organisation), organisation])),
      organisationsFile: test.organisationsFile,
      logger: createLogger('silent'),
      sync: () => Promise.reject(new Error('this command reads nothing')),
      ...deps,
    },
    line.split(' '),
    call,
  )
}

const tables = [
  'sales_units',
  'merchants',
  'merchant_summaries',
  'product_orders',
  'price_packages',
  'price_package_assignments',
  'templates',
  'webhooks',
  'changes',
  'visits',
  'sync_state',
  'organisation_sync',
  'notices',
  'notice_marks',
  'notice_channels',
  'notice_settings',
  'grants',
]
async function countsOf(key: string): Promise<Record<string, number>> {
  const counts = tables.map(async (table) => {
    const text = `select count(*)::int as count from ${table} where organisation = $1`
    const { rows } = await test.portal.database.pool.query<{ count: number }>(text, [key])
    return [table, rows[0]?.count ?? 0] as const
  })
  return Object.fromEntries(await Promise.all(counts))
}

function takeOutOfFile(id: string): void {
  const file = JSON.parse(readFileSync(test.organisationsFile, 'utf8')) as { partners: { id: string }[] }
  const partners = file.partners.filter((partner) => partner.id !== id)
  writeFileSync(test.organisationsFile, JSON.stringify({ ...file, partners }))
  test.portal.reload()
}

it('organisations remove refuses while the organisation stands in the file', async () => {
  const refused = { exitCode: 1, error: expect.stringContaining('is in the organisations file: remove it there first') }
  expect(await run('organisations remove partner:12345')).toMatchObject(refused)
  expect(await run('organisations remove partner 12345 --yes')).toMatchObject(refused)
  const withoutFile = { organisations: new Map(), organisationsFile: undefined }
  expect((await run('organisations remove partner:12345 --yes', true, withoutFile)).error).toContain(
    'ORGANISATIONS_FILE is required',
  )
  expect((await run('organisations remove nordlys')).exitCode).toBe(2)
})

it('an organisation out of the file is hidden at once, and kept until it is removed', async () => {
  await addGrant(test.portal.database.kysely, { kind: 'partner', id: '34567' }, test.userId('Kari Nordmann'))
  const { pool } = test.portal.database
  await pool.query(
    `insert into price_package_assignments values ('partner/12345', '123456', '2026-01-01', 'some', false)`,
  )
  await pool.query(
    `insert into notice_settings (user_id, organisation, language, events, digest_change, digest_from)
     values ($1, 'partner/12345', 'en', '{completed}', 0, now())`,
    [test.userId('Kari Nordmann')],
  )
  await pool.query(`insert into notice_marks (organisation, change, at) values ('partner/12345', 0, now())`)
  await pool.query(
    `insert into notices (organisation, user_id, kind, after_change, until_change, after_at, until_at, due_at)
     values ('partner/12345', $1, 'events', 0, 0, now(), now(), 'infinity')`,
    [test.userId('Kari Nordmann')],
  )
  await pool.query(
    `insert into notice_channels (organisation, kind, url, language, events, added_by)
     values ('partner/12345', 'slack', 'https://hooks.example/x', 'en', '{}', 'kim')`,
  )
  const stored = await countsOf('partner/12345')
  for (const table of tables) expect([table, stored[table]]).not.toEqual([table, 0])
  takeOutOfFile('12345')
  for (const path of ['', '/sales-units', '/sales-units/123456', '/sales-units.csv', '/search?q=fitness'])
    expect((await kari.open(`/partners/12345${path}`)).status).toBe(404)
  const select = await kari.open('/select')
  expect(select.words).not.toContain('Nordlys')
  expect((await countsOf('partner/12345')).grants).toBe(stored['grants'])
  expect((await run('organisations')).output).toMatch(/partner 12345 +\(not in the organisations file\) +\d/)
})

it('organisations remove refuses while an instance syncs the organisation', async () => {
  await until(async () => test.portal.sync.working() === 0)
  const lease = (seconds: number) =>
    test.portal.database.pool.query(
      `update organisation_sync set leased_until = now() + make_interval(secs => $1) where organisation = 'partner/12345'`,
      [seconds],
    )
  await lease(3600)
  expect((await run('organisations remove partner:12345 --yes')).error).toContain('is being synced')
  expect((await countsOf('partner/12345'))['sales_units']).not.toBe(0)
  await lease(-1)
})

it('organisations remove asks, deletes everything of it with its history, and nothing of others', async () => {
  const others = await countsOf('partner/23456')
  const stored = await countsOf('partner/12345')
  expect((await run('organisations remove partner:12345', false)).error).toBe('nothing was deleted')
  expect((await run('organisations remove partner:12345', 'no terminal')).error).toContain('add --yes')
  expect(await countsOf('partner/12345')).toEqual(stored)

  const removed = await run('organisations remove partner:12345 --by Ada')
  expect(asked[0]).toMatch(/^Delete everything of partner 12345 for ever: \d+ sales units, /)
  expect(removed.exitCode).toBe(0)
  expect(removed.output).toContain(`${stored['sales_units']} sales units`)
  expect(removed.output).toContain(`${stored['changes']} changes`)
  expect(Object.values(await countsOf('partner/12345')).every((count) => count === 0)).toBe(true)
  expect(await countsOf('partner/23456')).toEqual(others)

  const audit = await test.portal.database.pool.query<{ event: string; details: Record<string, unknown> }>(
    `select event, details from audit where organisation = 'partner/12345' and event in ('organisation removed', 'revoke')`,
  )
  expect(audit.rows.filter(({ event, details }) => event === 'revoke' && details['by'] === 'Ada')).toHaveLength(
    stored['grants'] ?? 0,
  )
  expect(audit.rows.at(-1)).toEqual({ event: 'organisation removed', details: { ...stored, by: 'Ada' } })
  expect((await run('organisations remove partner:12345 --yes')).error).toBe('nothing is stored of partner 12345')
  await test.portal.sync.tick()
  expect((await countsOf('partner/12345'))['organisation_sync']).toBe(0)
})
