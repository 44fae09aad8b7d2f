import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { CommandDeps } from '../../src/cli/command.ts'
import { runCommand } from '../../src/cli/commands.ts'
import { createLogger } from '../../src/logger.ts'
import { type Organisation, organisationKey } from '../../src/domain/organisation.ts'
import { readAudit } from '../../src/store/audit-log.ts'
import type { Database } from '../../src/store/database.ts'
import { addGrant, grantsOfUsers, listGrants } from '../../src/store/grants.ts'
import { openTestDatabase } from '../support/database.ts'

const mona = '12745d37-ce52-55a3-bb28-0479c9d32d7d'
const otto = '00000000-0000-5000-8000-000000000001'
const bikes: Organisation = { kind: 'partner', id: '12345', name: 'Bikes' }
const shop: Organisation = { kind: 'merchant', scheme: 'business:NO:ORG', id: '987654321', name: 'Ås Sykkel' }

let database: Database
let deps: CommandDeps
beforeAll(async () => {
  database = await openTestDatabase()
  deps = {
    database,
    organisations: new Map([bikes, shop].map((organisation) => [organisationKey(organisation), organisation])),
    logger: createLogger('silent'),
    sync: () => Promise.reject(new Error('nothing is read')),
  }
})
afterAll(() => database.close())
let startedAt: Date
beforeEach(async () => {
  await database.pool.query('delete from grants')
  const { rows } = await database.pool.query<{ now: Date }>('select clock_timestamp() as now')
  startedAt = rows[0]?.now ?? new Date()
})

async function run(argv: readonly string[], input?: string) {
  const told: string[] = []
  const call = {
    tell: (line: string) => void told.push(line),
    signal: new AbortController().signal,
    operator: 'kim',
    input,
  }
  return { ...(await runCommand(deps, argv, call)), told }
}

function grant(...options: string[]) {
  return run(['grant', mona, 'partner', '12345', ...options])
}

async function audited() {
  const filter = { userIds: [], organisations: [], events: [], since: startedAt }
  const all = []
  for await (const rows of readAudit(database.kysely, filter, undefined)) all.push(...rows)
  return all.map(({ event, userId, organisation, details }) => ({ event, userId, organisation, details }))
}

async function currentGrant() {
  return (await grantsOfUsers(database.kysely, [mona]))[0]
}

describe('grant', () => {
  it('defaults to the viewer role without end, and records the operator', async () => {
    await grant()
    expect(await currentGrant()).toMatchObject({ role: 'viewer', until: null, by: 'kim', reason: null })
    await grant('--role', 'developer', '--until', '2999-12-31', '--reason', 'runs the till', '--by', 'Ana')
    expect(await currentGrant()).toMatchObject({
      role: 'developer',
      until: '2999-12-31',
      by: 'Ana',
      reason: 'runs the till',
    })
    expect(await audited()).toEqual([
      { event: 'grant', userId: mona, organisation: 'partner/12345', details: { is: 'viewer', by: 'kim' } },
      {
        event: 'grant',
        userId: mona,
        organisation: 'partner/12345',
        details: { is: 'developer until 2999-12-31', was: 'viewer', by: 'Ana' },
      },
    ])
  })

  it('changes only the given options of an existing grant, and prints the changes', async () => {
    await grant('--role', 'developer', '--until', '2999-12-31')
    expect((await grant('--until', '2998-01-01')).output).toContain(
      'as developer until 2998-01-01; before: developer until 2999-12-31.',
    )
    expect((await grant('--until', 'never')).output).toContain('as developer; before: developer until 2998-01-01.')
    expect((await grant()).output).toContain(
      'may already act as Bikes (partner 12345), as developer: nothing was changed',
    )
    expect((await grant('--reason', 'x')).output).toContain('only the reason changed')
    expect(await audited()).toHaveLength(4)
  })

  it('starts a new grant when the previous one has ended', async () => {
    await addGrant(database.kysely, bikes, mona, { role: 'developer', until: '2020-01-31' })
    expect((await run(['grants'])).output).toMatch(/developer +2020-01-31 EXPIRED/)
    expect((await grant()).output).toContain('as viewer; before: developer until 2020-01-31, expired.')
    expect(await currentGrant()).toMatchObject({ role: 'viewer', until: null, isOver: false })
  })

  it.each([
    [['--role', 'admin'], '"admin" is not a role: viewer or developer', 1],
    [['--until', '2020-01-31'], '2020-01-31 has passed already', 1],
    [['--until', '2999-02-30'], '"2999-02-30" is not a day', 1],
    [['--until', 'soon'], 'is not a day such as 2026-12-31, or never', 1],
    [['--reason', 'x'.repeat(201)], '--reason may have 200 characters', 1],
    [['--rôle', 'viewer'], "Unknown option '--rôle'", 2],
    [['--role'], "'--role <value>' argument missing", 2],
  ])('refuses %j', async (options, words, exitCode) => {
    const { error, ...result } = await grant(...options)
    expect(result).toMatchObject({ exitCode, output: '' })
    expect(error).toContain(words)
    expect(await listGrants(database.kysely)).toEqual([])
    expect(await audited()).toEqual([])
  })
})

it('revoke is recorded with the operator, and only when there was a grant', async () => {
  await grant()
  await run(['revoke', mona, 'partner', '12345', '--by', 'Ana'])
  await run(['revoke', mona, 'partner', '12345'])
  expect((await audited()).slice(1)).toEqual([
    { event: 'revoke', userId: mona, organisation: 'partner/12345', details: { by: 'Ana' } },
  ])
})

it('grants prints role, end, operator and reason', async () => {
  await grant('--until', '2999-12-31', '--reason', 'runs the till')
  expect((await run(['grants'])).output).toMatch(/viewer +2999-12-31 +\d{4}-\S+ +kim +runs the till$/)
})

describe('import', () => {
  const heading = 'user_id,organisation,role,until,reason'
  const shopKey = 'merchant business:NO:ORG 987654321'

  it('prints a dry run, and applies it with --apply', async () => {
    await grant('--role', 'developer')
    await run(['grant', otto, 'partner', '12345'])
    const before = await listGrants(database.kysely)
    const file = [
      heading,
      `${mona},partner 12345,viewer,2999-12-31,"less, now"`,
      `${mona.toUpperCase()},${shopKey},,,`,
      `${otto},partner/12345,viewer,,`,
      '',
    ].join('\n')
    const lines = [
      `changed  line 2: ${mona} partner 12345: developer becomes viewer until 2999-12-31`,
      `added    line 3: ${mona} ${shopKey}: viewer`,
    ]
    const dry = await run(['import', 'grants.csv'], file)
    expect(dry).toMatchObject({ exitCode: 0, told: lines })
    expect(dry.output).toContain('1 added, 1 changed, 1 unchanged: dry run, nothing was changed')
    expect(await listGrants(database.kysely)).toEqual(before)
    const done = await run(['import', 'grants.csv', '--apply', '--by', 'Ana'], file)
    expect(done).toMatchObject({
      exitCode: 0,
      told: lines,
      output: '1 added, 1 changed, 1 unchanged.',
    })
    expect(await listGrants(database.kysely)).toMatchObject([
      { userId: otto, by: 'kim' },
      { userId: mona, organisation: organisationKey(shop), role: 'viewer', until: null, by: 'Ana' },
      { userId: mona, role: 'viewer', until: '2999-12-31', reason: 'less, now', by: 'Ana' },
    ])
    expect((await audited()).slice(2)).toEqual([
      {
        event: 'grant',
        userId: mona,
        organisation: 'partner/12345',
        details: { is: 'viewer until 2999-12-31', was: 'developer', by: 'Ana', via: 'import' },
      },
      {
        event: 'grant',
        userId: mona,
        organisation: organisationKey(shop),
        details: { is: 'viewer', by: 'Ana', via: 'import' },
      },
    ])
    expect((await run(['import', 'grants.csv'], file)).output).toContain('0 added, 0 changed, 3 unchanged')
  })

  it('accepts a byte order mark, semicolons, CRLF and any column order', async () => {
    const file = `\ufeffreason;organisation;user_id\r\n"a, b";merchant:business:NO:ORG:987654321;${mona}\r\n`
    expect(await run(['import', 'x', '--apply'], file)).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining('1 added'),
    })
    expect(await currentGrant()).toMatchObject({ reason: 'a, b', role: 'viewer' })
  })

  it('reports every error with its line, and changes nothing', async () => {
    const file = [
      heading,
      `${mona},partner 12345,viewer,,`,
      `mona,partner 1,admin,31.12.2026,`,
      `${otto},partner 77777,,2020-01-01,`,
      '',
      `${mona},partner:12345,,,`,
      `${otto},"merchant business:NO:ORG 987654321",,,${'x'.repeat(201)}`,
      `${otto},partner 12345,,,,more`,
    ].join('\n')
    const result = await run(['import', 'x', '--apply'], file)
    expect(result).toMatchObject({ exitCode: 1, output: '', told: [] })
    expect(result.error.split('\n')).toEqual([
      'line 3: "mona" is not a user ID',
      expect.stringMatching(/^line 3: "partner 1" is not an organisation/),
      'line 3: "admin" is not a role: viewer or developer',
      'line 3: "31.12.2026" is not a day such as 2026-12-31',
      'line 4: "partner 77777" is not in the organisations file',
      'line 4: 2020-01-01 has passed already',
      'line 6: is for the same user and organisation as line 2',
      'line 7: the reason may have 200 characters at most',
      'line 8: has 6 columns, the heading has 5',
      '9 errors: nothing was changed',
    ])
    expect(await listGrants(database.kysely)).toEqual([])
    expect(await audited()).toEqual([])
  })

  it.each([
    ['', 'the file is empty'],
    ['user,organisation\n', 'line 1: the column user_id is missing'],
    ['user_id,organisation,roles\n', 'line 1: "roles" is not a column'],
    ['user_id,organisation,role,role\n', 'line 1: the column "role" is duplicated'],
    [`${heading}\n"${mona},partner 12345,,,\n`, 'invalid CSV'],
  ])('refuses %j', async (file, words) => {
    const { exitCode, error } = await run(['import', 'x', '--apply'], file)
    expect([exitCode, error]).toEqual([1, expect.stringContaining(words)])
  })

  it('imports ten thousand lines', async () => {
    const lines = Array.from(
      { length: 10_000 },
      (_, index) =>
        `00000000-0000-5000-8000-${String(index).padStart(12, '0')},partner 12345,developer,2999-12-31,many`,
    )
    const result = await run(['import', 'x', '--apply'], [heading, ...lines].join('\r\n'))
    expect(result).toMatchObject({ exitCode: 0, output: '10 000 added, 0 changed, 0 unchanged.' })
    expect(await listGrants(database.kysely)).toHaveLength(10_000)
  })
})

describe('audit', () => {
  it('prints the entries in columns, the newest last', async () => {
    await grant()
    await run(['revoke', mona, 'partner', '12345'])
    const { told, output } = await run(['audit', '--since', startedAt.toISOString()])
    expect(output).toBe('')
    expect(told).toEqual([
      expect.stringMatching(/^AT +EVENT +USER ID +ORGANISATION +FROM +DETAILS$/),
      expect.stringMatching(new RegExp(`^\\d{4}-\\S+Z +grant +${mona} +partner 12345 +- +by=kim is=viewer$`)),
      expect.stringMatching(/ revoke /),
    ])
  })

  it('prints JSON lines, and filters', async () => {
    await grant()
    await run(['grant', otto, 'merchant', 'business:NO:ORG', '987654321'])
    const since = ['--since', startedAt.toISOString(), '--json']
    const { told } = await run(['audit', ...since, '--organisation', 'merchant:business:NO:ORG:987654321'])
    expect(told.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ event: 'grant', userId: otto }])
    expect((await run(['audit', ...since, '--user', mona, '--user', otto, '--event', 'grant'])).told).toHaveLength(2)
    expect((await run(['audit', ...since, '--limit', '1'])).told).toMatchObject([expect.stringContaining(otto)])
    expect((await run(['audit', ...since, '--event', 'sign-out'])).told).toEqual([])
    expect((await run(['audit', '--since', '1m', '--event', 'sign-out'])).output).toContain('No matching audit entries')
  })

  it.each([
    [['--since', 'yesterday'], '"yesterday" is not a time'],
    [['--event', 'party'], '"party" is not an event: sign-in,'],
    [['--organisation', '12345'], '"12345" is not an organisation'],
    [['--user', 'mona'], '"mona" is not a user ID'],
    [['--limit', '0'], '"0" is not a number of entries'],
  ])('refuses %j', async (options, words) => {
    expect(await run(['audit', ...options])).toMatchObject({
      exitCode: 1,
      error: expect.stringContaining(words),
    })
  })
})
