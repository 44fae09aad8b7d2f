import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { CommandDeps } from '../../src/cli/command.ts'
import { runCommand } from '../../src/cli/commands.ts'
import type { OrganisationReference } from '../../src/domain/organisation.ts'
import { userIdOf } from '../../src/auth/user-id.ts'
import { createLogger } from '../../src/logger.ts'
import { readAudit } from '../../src/store/audit-log.ts'
import { type Database } from '../../src/store/database.ts'
import { addGrant, listGrants } from '../../src/store/grants.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { createTestSchema, openTestDatabase } from '../support/database.ts'
import { startTestPortal } from '../support/portal.ts'
import { start } from '../support/process.ts'

const partner: OrganisationReference = { kind: 'partner', id: '12345' }
const merchant: OrganisationReference = { kind: 'merchant', scheme: 'business:NO:ORG', id: '987654321' }
const [oldA, oldB, newA, newB, other] = Array.from({ length: 5 }, () => randomUUID()) as [
  string,
  string,
  string,
  string,
  string,
]

let database: Database
let deps: CommandDeps
beforeAll(async () => {
  database = await openTestDatabase()
  const sync = () => Promise.reject(new Error('nothing is read'))
  deps = { database, organisations: new Map(), logger: createLogger('silent'), sync }
})
afterAll(() => database.close())
let startedAt: Date
beforeEach(async () => {
  await database.pool.query('delete from grants')
  const { rows } = await database.pool.query<{ now: Date }>('select clock_timestamp() as now')
  startedAt = rows[0]?.now ?? new Date()
  await addGrant(database.kysely, partner, oldA, { role: 'developer', until: '2999-12-31', by: 'Ana', reason: 'why' })
  await addGrant(database.kysely, merchant, oldA, { until: '2001-01-01', by: 'Ana' })
  await addGrant(database.kysely, partner, oldB)
  await addGrant(database.kysely, partner, other)
})

async function run(words: readonly string[], input?: string) {
  const told: string[] = []
  const tell = (line: string) => void told.push(line)
  const call = { tell, signal: new AbortController().signal, operator: 'kim', input }
  return { ...(await runCommand(deps, ['users', 'move', ...words], call)), told }
}

async function grantsNow() {
  const rows = await listGrants(database.kysely)
  return rows
    .map(({ userId, organisation, role, until, by, reason }) => ({ userId, organisation, role, until, by, reason }))
    .toSorted((a, b) => `${a.userId} ${a.organisation}`.localeCompare(`${b.userId} ${b.organisation}`))
}

async function audited() {
  const all = []
  const filter = { userIds: [], organisations: [], events: [], since: startedAt }
  for await (const rows of readAudit(database.kysely, filter, undefined)) all.push(...rows)
  return all.map(({ event, userId, organisation, details }) => ({ event, userId, organisation, details }))
}

function csv(...lines: readonly string[]): string {
  return ['old_user_id,new_user_id', ...lines].join('\n')
}

describe('users move', () => {
  it('gives every grant of one user ID to another, unchanged, and audits it for both', async () => {
    const before = await grantsNow()
    const { exitCode, output, told } = await run([oldA.toUpperCase(), newA, '--by', 'Ana'])
    expect([exitCode, output]).toEqual([0, '2 grants moved.'])
    expect(told).toContain(`partner 12345 from ${oldA} to ${newA}: developer until 2999-12-31`)
    const renamed = before.map((row) => (row.userId === oldA ? { ...row, userId: newA } : row))
    expect(new Set(await grantsNow())).toEqual(new Set(renamed))
    expect(await audited()).toEqual(
      ['merchant/business:NO:ORG/987654321', 'partner/12345'].flatMap((organisation) => {
        const is = organisation === 'partner/12345' ? 'developer until 2999-12-31' : 'viewer until 2001-01-01'
        const was = organisation === 'partner/12345' ? is : `${is}, expired`
        return [
          { event: 'revoke', userId: oldA, organisation, details: { was, by: 'Ana', movedTo: newA } },
          { event: 'grant', userId: newA, organisation, details: { is, by: 'Ana', movedFrom: oldA } },
        ]
      }),
    )
  })

  it('takes the visits and the choice of notices along, for a user who has signed in', async () => {
    const { pool } = database
    const choices = `select user_id, digest from notice_settings where organisation = 'partner/12345'`
    const visits = `select user_id, visits from visits where organisation = 'partner/12345'`
    for (const id of [oldA, oldB, newA])
      await pool.query(`insert into users (id, issuer, subject) values ($1::uuid, 'issuer', $1::text)`, [id])
    for (const id of [oldA, oldB]) {
      await pool.query(
        `insert into notice_settings (user_id, organisation, language, events, digest, digest_change, digest_from)
         values ($1, 'partner/12345', 'nb', '{}', 'daily', 0, now())`,
        [id],
      )
      await pool.query(`insert into visits (user_id, organisation, visits) values ($1, 'partner/12345', 7)`, [id])
    }
    expect((await run(['--csv', 'x', '--apply'], csv(`${oldA},${newA}`, `${oldB},${newB}`))).exitCode).toBe(0)
    expect(new Set((await pool.query(choices)).rows)).toEqual(
      new Set([
        { user_id: newA, digest: 'daily' },
        { user_id: oldB, digest: 'daily' },
      ]),
    )
    expect(new Set((await pool.query(visits)).rows)).toEqual(
      new Set([
        { user_id: newA, visits: 7 },
        { user_id: oldB, visits: 7 },
      ]),
    )
  })

  it.each<[string, string[], string]>([
    ['one ID', [oldA], 'a user ID is missing'],
    ['no ID', [], 'a user ID is missing'],
    ['no user ID', [oldA, 'kari'], '"kari" is not a user ID'],
    ['the same ID', [oldA, oldA.toUpperCase()], 'the old and the new user ID are the same'],
    ['a third argument', [oldA, newA, newB], `unexpected argument "${newB}"`],
    ['an ID beside a file', ['--csv', 'x', oldA], `unexpected argument "${oldA}"`],
    ['--apply without a file', [oldA, newA, '--apply'], '--apply is for --csv <file>'],
    ['a user without grants', [newA, newB], 'none of these old user IDs has a grant: nothing was changed'],
    [
      'a user who has that grant',
      [oldB, other],
      `${other} already has a grant for partner 12345: revoke one of the two`,
    ],
  ])('refuses %s, and changes nothing', async (_what, words, error) => {
    const before = await grantsNow()
    const result = await run(words, csv())
    expect(result.exitCode).toBeGreaterThan(0)
    expect(result.error).toContain(error)
    expect([await grantsNow(), await audited()]).toEqual([before, []])
  })
})

describe('users move --csv', () => {
  it('shows what it moves, and moves it with --apply', async () => {
    const before = await grantsNow()
    const file = `\ufeffnew_user_id;old_user_id\r\n${newA};${oldA}\r\n\r\n${newB};${oldB}\r\n${randomUUID()};${randomUUID()}`
    const dry = await run(['--csv', 'users.csv'], file)
    expect(dry).toMatchObject({
      exitCode: 0,
      output: '3 grants to move: dry run, nothing was changed. Run again with --apply to apply.',
      told: expect.arrayContaining([`line 4: partner 12345 from ${oldB} to ${newB}: viewer`]),
    })
    expect([await grantsNow(), await audited()]).toEqual([before, []])
    const done = await run(['--csv', 'users.csv', '--apply'], file)
    expect([done.exitCode, done.output, done.told]).toEqual([0, '3 grants moved.', dry.told])
    expect(new Set((await grantsNow()).map(({ userId }) => userId))).toEqual(new Set([newA, newB, other]))
    expect(await audited()).toHaveLength(6)
  })

  it('moves two users to one where they have no organisation in common', async () => {
    await database.pool.query('delete from grants where user_id = $1 and organisation = $2', [oldA, 'partner/12345'])
    expect((await run(['--csv', 'x', '--apply'], csv(`${oldA},${newA}`, `${oldB},${newA}`))).exitCode).toBe(0)
    expect((await grantsNow()).filter(({ userId }) => userId === newA)).toHaveLength(2)
  })

  it.each<[string, string, readonly string[]]>([
    ['an empty file', '', ['the file is empty']],
    ['another heading', 'old,new\n', ['line 1: the column old_user_id is missing', 'line 1: "old" is not a column']],
    [
      'every wrong line',
      csv(`x,${newA}`, `${oldA},`, `${oldA},${newA},z`, `${oldA},${newB}`, `${oldB},${oldB}`),
      [
        'line 2: "x" is not a user ID',
        'line 3: "" is not a user ID',
        'line 4: has 3 columns, the heading has 2',
        'line 5: moves the same user as line 4',
        'line 6: the old and the new user ID are the same',
        '5 errors: nothing was changed',
      ],
    ],
    ['a chain', csv(`${oldA},${oldB}`, `${oldB},${newB}`), ['line 2: moves to a user that line 3 moves away']],
    ['a swap', csv(`${oldA},${oldB}`, `${oldB},${oldA}`), ['line 2: moves to', 'line 3: moves to']],
    [
      'two users with one organisation',
      csv(`${oldA},${newA}`, `${oldB},${newA}`),
      [`line 3: ${newA} already has a grant for partner 12345`],
    ],
    ['a user who has that grant', csv(`${oldA},${newA}`, `${oldB},${other}`), [`line 3: ${other} already has a grant`]],
    ['unbalanced quotes', csv('"x'), ['invalid CSV']],
  ])('refuses %s with the line, also with --apply, and changes nothing', async (_what, file, errors) => {
    const before = await grantsNow()
    for (const words of [
      ['--csv', 'x'],
      ['--csv', 'x', '--apply'],
    ]) {
      const result = await run(words, file)
      expect(result).toMatchObject({ exitCode: 1, output: '', told: [] })
      for (const error of errors) expect(result.error).toContain(error)
    }
    expect([await grantsNow(), await audited()]).toEqual([before, []])
  })

  it('reads the file that it names', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'portal-move-'))
    try {
      const file = join(directory, 'users.csv')
      writeFileSync(file, csv('x,y'))
      const env = { DATABASE_URL: await createTestSchema() }
      for (const [path, said] of [
        [file, /line 2: "x" is not a user ID/],
        [join(directory, 'none.csv'), /none\.csv cannot be read: ENOENT/],
      ] as const) {
        const command = start('src/cli/main.ts', {
          cwd: directory,
          env,
          args: ['users', 'move', '--csv', path, '--apply'],
        })
        await command.says(said)
        expect(await command.ended).toBe(1)
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

it('a move takes effect at the next request, also of a session that is open', async () => {
  const test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
  try {
    const kari = await test.signedIn('Kari Nordmann')
    expect((await kari.open('/partners/12345')).status).toBe(200)
    const moved = userIdOf('https://new-broker.example', 'kari')
    const call = { tell: () => {}, signal: new AbortController().signal, operator: 'kim' }
    const those = { ...deps, database: test.portal.database }
    expect(await runCommand(those, ['users', 'move', test.userId('Kari Nordmann'), moved], call)).toMatchObject({
      exitCode: 0,
    })
    expect((await kari.open('/partners/12345')).status).toBe(403)
    await runCommand(those, ['users', 'move', moved, test.userId('Kari Nordmann')], call)
    expect((await kari.open('/partners/12345')).status).toBe(200)
  } finally {
    await test.stop()
  }
})
