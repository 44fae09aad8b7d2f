import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { CommandDeps } from '../../src/cli/command.ts'
import { runCommand } from '../../src/cli/commands.ts'
import { type Organisation, organisationKey } from '../../src/domain/organisation.ts'
import { createLogger } from '../../src/logger.ts'
import type { Database } from '../../src/store/database.ts'
import { grantsOfUsers } from '../../src/store/grants.ts'
import { saveUser, saveVerifiedEmail } from '../../src/store/users.ts'
import { schemaVersion } from '../../src/store/migrations.ts'
import { createTestSchema, openEmptyTestDatabase, openTestDatabase } from '../support/database.ts'

const monaId = '12745d37-ce52-55a3-bb28-0479c9d32d7d'
const unknownUserId = '00000000-0000-5000-8000-000000000001'
const bikes: Organisation = { kind: 'partner', id: '12345', name: 'Bikes \u001b[31m& Co' }
const shop: Organisation = { kind: 'merchant', scheme: 'business:NO:ORG', id: '987654321', name: 'Ås Sykkel' }
const organisations = new Map([bikes, shop].map((organisation) => [organisationKey(organisation), organisation]))

const logger = createLogger('silent')
let database: Database
let deps: CommandDeps
function noSync() {
  return Promise.reject(new Error('this command reads nothing'))
}

const call = { tell: () => {}, signal: new AbortController().signal, operator: 'kim' }

async function grantsOf(db: Database['kysely'], userId: string) {
  return (await grantsOfUsers(db, [userId])).map(({ organisation }) => organisation)
}

function run(line: string) {
  return runCommand(deps, line.split(' ').filter(Boolean), call)
}

beforeAll(async () => {
  database = await openTestDatabase()
  deps = { database, organisations, logger, sync: noSync }
})
afterAll(() => database.close())
beforeEach(async () => {
  await database.pool.query('delete from grants')
  await database.pool.query('delete from users')
  const mona = { id: monaId, issuer: 'https://eid.example', subject: 'mona', email: 'mona@example.com' }
  await saveUser(database.kysely, { ...mona, name: 'Mona \u001b]0;x\u0007Ås\n\u202e' })
})

describe('grant', () => {
  it('gives a user access to a partner and a merchant, and prints their names', async () => {
    expect(await run(`grant ${monaId} partner 12345`)).toEqual({
      exitCode: 0,
      output: `Mona ]0;xÅs (${monaId}) may now act as Bikes [31m& Co (partner 12345), as viewer.`,
      error: '',
    })
    const capitals = await run(`grant ${monaId.toUpperCase()} merchant business:NO:ORG 987654321`)
    expect(capitals.output).toContain(
      `(${monaId}) may now act as Ås Sykkel (merchant business:NO:ORG 987654321), as viewer.`,
    )
    expect(await grantsOf(database.kysely, monaId)).toEqual([organisationKey(shop), organisationKey(bikes)])
  })

  it('says when the user already has the grant', async () => {
    await run(`grant ${monaId} partner 12345`)
    expect(await run(`grant ${monaId} partner 12345`)).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining('may already act as'),
    })
  })

  it('warns when no user has signed in with the user ID yet', async () => {
    const { exitCode, output } = await run(`grant ${unknownUserId} partner 12345`)
    expect(exitCode).toBe(0)
    expect(output).toContain(`${unknownUserId} may now act as`)
    expect(output).toContain('Note: no user has signed in with this ID yet.')
  })

  it.each([
    [`grant mona partner 12345`, '"mona" is not a user ID', 1],
    [`grant ${monaId}0 partner 12345`, 'is not a user ID', 1],
    [`grant ${monaId} partner 12`, '"12" is not a partner ID', 1],
    [`grant ${monaId} partner 12345\u001b[2J`, '"12345[2J" is not a partner ID', 1],
    [`grant ${monaId} merchant NO:ORG 987654321`, '"NO:ORG" is not a scheme', 1],
    [`grant ${monaId} merchant business:NO:ORG 98/7`, '"98/7" is not a business identifier', 1],
    [`grant ${monaId} partner 99999`, 'partner 99999 is unknown: add it to the organisations file', 1],
    [`grant ${monaId} partner 12345 67890`, 'unexpected argument "67890"', 2],
    [`grant ${monaId} partner`, 'is missing', 2],
    [`grant ${monaId} 12345`, 'an organisation is', 2],
    [`grant`, 'a user ID is missing', 2],
  ])('refuses %s', async (line, words, exitCode) => {
    const result = await run(line)
    expect(result).toMatchObject({ exitCode, output: '' })
    expect(result.error).toContain(words)
    expect(await grantsOf(database.kysely, monaId)).toEqual([])
  })
})

describe('revoke', () => {
  it('removes a grant, and fails when there is none', async () => {
    await run(`grant ${monaId} partner 12345`)
    const done = await run(`revoke ${monaId} partner 12345`)
    expect(done).toMatchObject({ exitCode: 0, output: expect.stringContaining('may no longer act as Bikes') })
    expect(await grantsOf(database.kysely, monaId)).toEqual([])
    const again = await run(`revoke ${monaId} partner 12345`)
    expect(again).toMatchObject({
      exitCode: 1,
      output: '',
      error: expect.stringContaining('has no grant for Bikes'),
    })
  })

  it('works for an organisation that is no longer in the organisations file', async () => {
    await run(`grant ${monaId} partner 12345`)
    deps = { ...deps, organisations: new Map() }
    expect((await run('grants')).output).toContain('(not in the organisations file)')
    const done = await run(`revoke ${monaId} partner 12345`)
    deps = { ...deps, organisations }
    expect(done).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining('may no longer act as partner 12345.'),
    })
    expect(await grantsOf(database.kysely, monaId)).toEqual([])
  })
})

describe('list commands', () => {
  it('print grants in columns, without control characters', async () => {
    await run(`grant ${monaId} partner 12345`)
    await run(`grant ${unknownUserId} merchant business:NO:ORG 987654321`)
    const { exitCode, output } = await run('grants')
    expect(exitCode).toBe(0)
    const lines = output.split('\n')
    expect(lines).toHaveLength(3)
    expect(lines.map((line) => line.indexOf('SINCE')).find((at) => at > 0)).toBe(lines[1]?.search(/\d{4}-\d\d-\d\dT/))
    expect(lines[1]).toContain(`${unknownUserId}  -  `)
    expect(lines[2]).toMatch(/^12745d37-\S+  Mona \]0;xÅs  partner 12345 +Bikes/)
    expect(output).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u)
    expect((await run(`grants ${monaId}`)).output.split('\n')).toHaveLength(2)
  })

  it('say when there is nothing to list', async () => {
    expect((await run(`grants ${unknownUserId}`)).output).toBe('There are no grants.')
    await database.pool.query('delete from users')
    expect((await run('users')).output).toBe('No user has signed in yet.')
  })

  it('print the users that have signed in', async () => {
    const before = await run('users')
    expect(before.output).toContain(monaId)
    expect(before.output).not.toContain('mona@example.com')
    await saveVerifiedEmail(database.kysely, monaId, 'mona@example.com')
    const { output } = await run('users')
    expect(output).toContain('mona@example.com')
  })
})

describe('with a database of another version', () => {
  const versions = {
    empty: 'the database is empty: start the portal',
    older: 'the database schema is older than this version: start this version',
    newer: 'the database schema is newer than this version: use the commands of the newer version',
  }
  /** A database whose migrations table says this version; the other tables are not used. */
  const openVersion = async (version: keyof typeof versions): Promise<Database> => {
    const other = await openEmptyTestDatabase()
    if (version === 'empty') return other
    await other.pool.query('create table migrations (name text primary key, applied_at timestamptz)')
    if (version === 'newer') await other.pool.query(`insert into migrations values ('9999-later')`)
    return other
  }

  it.each(
    ['users', 'grants', 'audit', 'status', 'import'].flatMap((name) =>
      (['empty', 'older', 'newer'] as const).map((version) => [name, version] as const),
    ),
  )('%s reports that the database is %s, exits 3 and changes nothing', async (name, version) => {
    const other = await openVersion(version)
    try {
      expect(await runCommand({ ...deps, database: other }, [name], call)).toMatchObject({
        exitCode: 3,
        output: '',
        error: expect.stringContaining(versions[version]),
      })
      expect(await schemaVersion(other)).toBe(version)
    } finally {
      await other.close()
    }
  })

  it.each([
    `grant ${monaId} partner 12345`,
    `revoke ${monaId} partner 12345`,
    `sign-out ${monaId}`,
    'import grants.csv --apply',
    `users move ${monaId} 6f1d3c52-7a0e-4b8e-9f64-2d1b8c0e4a77`,
    'users move --csv users.csv --apply',
    'sync',
  ])('%s migrates an empty database first, as the portal does', async (line) => {
    const other = await openVersion('empty')
    try {
      const input = 'user_id,organisation,role,until,reason\n'
      // `sync` fails later, as this test has no Management API.
      await Promise.allSettled([runCommand({ ...deps, database: other }, line.split(' '), { ...call, input })])
      expect(await schemaVersion(other)).toBe('current')
    } finally {
      await other.close()
    }
  })
})

it('the help command prints the usage', async () => {
  expect(await run('help')).toMatchObject({ exitCode: 0, output: expect.stringContaining('grant <user-id>') })
})

it.each(['', 'constructor', 'drop', 'users all', 'grants x y'])(
  'the unknown command "%s" prints the usage and exits 2',
  async (line) => {
    expect(await run(line)).toMatchObject({ exitCode: 2, error: expect.stringContaining('npm run portal --') })
  },
)

async function portal(argv: readonly string[], env: Record<string, string>) {
  const entry = join(import.meta.dirname, '../../src/cli/main.ts')
  const child = spawn(process.execPath, [entry, ...argv], { env })
  const exit = new Promise<number | null>((resolve) => {
    child.once('close', resolve)
  })
  const [output, error, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit])
  return { output, error, exitCode }
}

describe('npm run portal', () => {
  const directory = mkdtempSync(join(tmpdir(), 'portal-cli-'))
  const file = join(directory, 'organisations.json')
  afterAll(() => rmSync(directory, { recursive: true }))

  it.each([['--help'], ['-h'], ['grants', '--help'], ['sync', '-h'], ['grant', 'x', '--help'], ['nonsense', '-h']])(
    'prints the usage without any configuration: %s %s',
    async (...argv) => {
      const { output, error, exitCode } = await portal(argv, {})
      expect([exitCode, error]).toEqual([0, ''])
      expect(output).toContain('grant <user-id>')
    },
  )

  it('says once why it cannot connect', async () => {
    const { error, exitCode } = await portal(['users'], { DATABASE_URL: 'postgres://portal:hunter2@127.0.0.1:1/x' })
    expect([exitCode, error]).toEqual([1, 'cannot connect to the database: connect ECONNREFUSED 127.0.0.1:1\n'])
  })

  it('needs only the database and the organisations file from the environment', async () => {
    const keys = { type: 'management', clientId: 'id', clientSecret: 'secret' }
    writeFileSync(file, JSON.stringify({ partners: [{ id: '12345', name: 'Bikes', keys }], merchants: [] }))
    const env = { DATABASE_URL: await createTestSchema(), ORGANISATIONS_FILE: file }
    const granted = await portal(['grant', monaId, 'partner', '12345'], env)
    expect(granted).toMatchObject({ exitCode: 0, error: '' })
    expect(granted.output).toContain(`${monaId} may now act as Bikes (partner 12345), as viewer.\nNote: `)
    const refused = await portal(['revoke', monaId, 'partner', '54321'], env)
    expect(refused).toMatchObject({ exitCode: 1, output: '', error: expect.stringContaining('has no grant') })
    expect((await portal(['grants'], env)).output).toContain('partner 12345')
  })

  it('reports a missing DATABASE_URL and what to do', async () => {
    const { exitCode, error } = await portal(['users'], {})
    expect(exitCode).toBe(1)
    expect(error).toContain('DATABASE_URL is required: where PostgreSQL is, such as postgres://')
  })

  it('reports all configuration errors, one per line, and exits 1', async () => {
    const env = { DATABASE_URL: 'mysql://x', LOG_LEVEL: 'loud' }
    const { exitCode, output, error } = await portal(['users'], env)
    expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' })
    expect(
      error
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(['DATABASE_URL', 'LOG_LEVEL'])
  })

  it('reports that PostgreSQL cannot be reached', async () => {
    const { exitCode, error } = await portal(['users'], {
      DATABASE_URL: 'postgres://portal:hunter2@127.0.0.1:1/x',
    })
    expect(exitCode).toBe(1)
    expect(error).toContain('cannot connect')
    expect(error).not.toMatch(/hunter2|\n\s+at /)
  })
})
