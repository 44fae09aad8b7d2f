import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it, inject } from 'vitest'
import { DatabaseUnavailableError } from '../../src/errors.ts'
import type { Database } from '../../src/store/database.ts'
import { openEmbeddedPool } from '../../src/store/embedded/pool.ts'
import type { EmbeddedPool } from '../../src/store/embedded/session-pool.ts'
import { openEmptyTestDatabase } from '../support/database.ts'

let pool: EmbeddedPool
beforeAll(async () => {
  pool = await openEmbeddedPool({ dataDir: inject('embeddedDatabase'), acquireTimeoutMs: 2000 })
  await pool.query('create table things (id int primary key, note text)')
})
afterAll(() => pool.end())

const count = async () => (await pool.query('select count(*)::int as n from things')).rows[0].n

describe('the one session', () => {
  it('goes to whoever asked first', async () => {
    const order: number[] = []
    const first = await pool.connect()
    const others = [1, 2, 3].map(async (number) => {
      const client = await pool.connect()
      order.push(number)
      client.release()
    })
    order.push(0)
    first.release()
    await Promise.all(others)
    expect(order).toEqual([0, 1, 2, 3])
  })

  it('comes back without the transaction that its last holder left open', async () => {
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into things values (1)')
    client.release()
    expect(await count()).toBe(0)
    const { rows } = await pool.query('select pg_current_xact_id_if_assigned() as id')
    expect(rows).toEqual([{ id: null }])
  })

  it('comes back from a transaction that an error has aborted', async () => {
    const client = await pool.connect()
    await client.query('begin')
    await expect(client.query('select 1/0')).rejects.toMatchObject({ code: '22012' })
    await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' })
    client.release(true)
    expect(await count()).toBe(0)
  })

  it('refuses, with the reason, who has waited too long, and serves the next', async () => {
    const client = await pool.connect()
    const late = pool.query('select 1')
    await expect(late).rejects.toThrow(DatabaseUnavailableError)
    await expect(late).rejects.toThrow(/one session.*2000 ms.*transaction's own handle/)
    const next = pool.query('select 2 as two')
    client.release()
    expect((await next).rows).toEqual([{ two: 2 }])
  })

  it('cannot be released twice, nor used after release', async () => {
    const client = await pool.connect()
    client.release()
    expect(() => client.release()).toThrow('already been released')
    await expect(client.query('select 1')).rejects.toThrow('was released')
  })

  it('keeps concurrent transactions apart', async () => {
    const add = async (id: number, fail: boolean) => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        await client.query('insert into things values ($1, $2)', [id, 'x'])
        expect(
          (await client.query('select count(*)::int as n from things where note is null')).rows[0].n,
        ).toBe(0)
        if (fail) throw new Error('no')
        expect((await client.query('commit')).command).toBe('COMMIT')
      } finally {
        client.release()
      }
    }
    const ids = Array.from({ length: 20 }, (_, index) => index + 1)
    const done = await Promise.allSettled(ids.map((id) => add(id, id % 2 === 0)))
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    const { rows } = await pool.query('delete from things returning id')
    expect(rows.map(({ id }) => id)).toEqual(ids.filter((id) => id % 2 === 1))
  })

  it('carries statements and results of many megabytes', async () => {
    const long = 'æ'.repeat(4_000_000)
    const { rows } = await pool.query('select $1::text as text', [long])
    expect(rows[0].text === long).toBe(true)
  })
})

describe('results and errors', () => {
  let database: Database
  beforeAll(async () => {
    database = await openEmptyTestDatabase()
    await database.pool.query('create table items (id int constraint items_key primary key, at timestamptz)')
  })
  afterAll(() => database.close())

  it.each([
    ['int4', '42::int4', 42],
    ['int8', '9007199254740993::int8', '9007199254740993'],
    ['count', 'count(*)', '1'],
    ['numeric', '12.50::numeric', '12.50'],
    ['float8', '0.1::float8', 0.1],
    ['bool', 'true', true],
    ['null', 'null::text', null],
    ['text', `'æøå "' || chr(39)`, `æøå "'`],
    ['uuid', `'12745D37-CE52-55A3-BB28-0479C9D32D7D'::uuid`, '12745d37-ce52-55a3-bb28-0479c9d32d7d'],
    ['timestamptz', `'2026-02-03T04:05:06.789+01'::timestamptz`, new Date('2026-02-03T03:05:06.789Z')],
    ['date', `'2026-02-03'::date`, new Date(2026, 1, 3)],
    ['jsonb', `'{"b": [1, null], "a": "x"}'::jsonb`, { a: 'x', b: [1, null] }],
    ['json', `'[1.5]'::json`, [1.5]],
    ['text[]', `array['a', null, 'b,"c']`, ['a', null, 'b,"c']],
    ['int4[]', 'array[1, 2]', [1, 2]],
    ['int8[]', 'array[1::int8]', ['1']],
    ['jsonb[]', `array['{"a":1}'::jsonb]`, [{ a: 1 }]],
    ['bytea', String.raw`'\x00ff10'::bytea`, Buffer.from([0, 255, 16])],
  ])('are what pg gives: %s', async (_type, expression, expected) => {
    const { rows } = await database.pool.query(`select ${expression} as value`)
    expect(rows).toEqual([{ value: expected }])
  })

  it.each([
    ['text', 'æ\n"', 'æ\n"'],
    ['int8', 5n, '5'],
    ['timestamptz', new Date('2026-02-03T03:05:06.789Z'), new Date('2026-02-03T03:05:06.789Z')],
    ['jsonb', { a: [1, 'ø'] }, { a: [1, 'ø'] }],
    ['text[]', ['a', 'b,"c'], ['a', 'b,"c']],
    ['bytea', Buffer.from([0, 1, 255]), Buffer.from([0, 1, 255])],
    ['bool', false, false],
    ['uuid', null, null],
    ['text', undefined, null],
  ])('take the parameters that pg takes: %s %s', async (type, value, expected) => {
    const { rows } = await database.pool.query(`select $1::${type} as value`, [value])
    expect(rows).toEqual([{ value: expected }])
  })

  it('name the command, the rows and the fields', async () => {
    const client = await database.pool.connect()
    const told: unknown[] = []
    const run = async (text: string, values?: unknown[]) => {
      const { command, rowCount } = await client.query(text, values)
      told.push([command, rowCount])
    }
    await run('begin')
    await run('insert into items select generate_series(1, 3)')
    await run('update items set at = now() where id > $1', [1])
    await run('select * from items where id = $1', [3])
    await run('delete from items')
    await run('commit')
    await run('start transaction')
    await run('rollback')
    expect(told).toEqual([
      ['BEGIN', null],
      ['INSERT', 3],
      ['UPDATE', 2],
      ['SELECT', 1],
      ['DELETE', 3],
      ['COMMIT', null],
      ['START', null],
      ['ROLLBACK', null],
    ])
    const { fields } = await client.query('select id, at from items')
    expect(fields.map(({ name, dataTypeID }) => [name, dataTypeID])).toEqual([
      ['id', 23],
      ['at', 1184],
    ])
    client.release()
  })

  it("are pg's errors, with code, detail, table and constraint", async () => {
    await database.pool.query('insert into items values (1)')
    const again = database.pool.query('insert into items values ($1)', [1])
    await expect(again).rejects.toMatchObject({
      code: '23505',
      detail: 'Key (id)=(1) already exists.',
      table: 'items',
      constraint: 'items_key',
      severity: 'ERROR',
    })
    await expect(database.pool.query('selec 1')).rejects.toMatchObject({ code: '42601', position: '1' })
    await expect(database.pool.query('select $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' })
    expect((await database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})

const stopped = new DatabaseUnavailableError(
  'the embedded database has stopped: its thread ended with code 1',
)

describe('the end', () => {
  it('waits for the work under way, then refuses', async () => {
    const ending = await openEmbeddedPool({ dataDir: inject('embeddedDatabase') })
    const client = await ending.connect()
    const waiting = ending.query('select 1 as one')
    const ended = ending.end()
    await expect(ending.query('select 1')).rejects.toThrow('is closed')
    expect((await client.query('select 2 as two')).rows).toEqual([{ two: 2 }])
    client.release()
    expect((await waiting).rows).toEqual([{ one: 1 }])
    await ended
    await ending.end()
  })

  it('comes to everybody when the thread dies, with the reason', async () => {
    const started = Promise.withResolvers<Worker>()
    process.once('worker', started.resolve)
    const crashing = await openEmbeddedPool({ dataDir: inject('embeddedDatabase') })
    const client = await crashing.connect()
    const refused = [client.query('select pg_sleep(60)'), crashing.connect(), crashing.query('select 1')].map(
      (attempt) => expect(attempt).rejects.toThrow(stopped),
    )
    await (await started.promise).terminate()
    await Promise.all(refused)
    await expect(client.query('select 1')).rejects.toThrow(stopped)
    client.release()
    await expect(crashing.query('select 1')).rejects.toThrow(stopped)
    await crashing.end()
  })
})

describe('a data directory', () => {
  const directory = mkdtempSync(join(tmpdir(), 'embedded-'))
  const dataDir = join(directory, 'data')
  afterAll(() => rmSync(directory, { recursive: true }))

  const holder = async () => {
    const url = new URL('../../src/store/embedded/pool.ts', import.meta.url).href
    const source = `
      const { openEmbeddedPool } = await import(${JSON.stringify(url)})
      const pool = await openEmbeddedPool({ dataDir: ${JSON.stringify(dataDir)} })
      await pool.query('create table if not exists kept (id int primary key)')
      await pool.query('insert into kept select coalesce(max(id), 0) + 1 from kept')
      console.log('open')`
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const early = once(child, 'exit').then(() => Promise.reject(new Error('the holder ended early')))
    await Promise.race([once(child.stdout, 'data'), early])
    early.catch(() => undefined)
    return child
  }

  it('belongs to one process, until that ends, however it ends, and keeps its rows', async () => {
    const child = await holder()
    const refused = openEmbeddedPool({ dataDir })
    await expect(refused).rejects.toThrow(DatabaseUnavailableError)
    await expect(refused).rejects.toThrow(`another portal uses the embedded database in ${dataDir}`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const after = await openEmbeddedPool({ dataDir })
    await expect(openEmbeddedPool({ dataDir })).rejects.toThrow('another portal')
    await expect(openEmbeddedPool({ dataDir })).rejects.toThrow('another portal')
    // Closing the lock file anywhere in this process would drop the kernel's lock: the refused must not.
    await expect(holder()).rejects.toThrow('ended early')
    expect((await after.query('select id from kept')).rows).toEqual([{ id: 1 }])
    await after.end()
    const again = await openEmbeddedPool({ dataDir })
    expect((await again.query('select id from kept')).rows).toEqual([{ id: 1 }])
    await again.end()
  })

  it('is closed to other users', () => {
    expect(statSync(dataDir).mode & 0o777).toBe(0o700)
    expect(statSync(join(dataDir, 'database')).mode & 0o777).toBe(0o700)
    expect(statSync(join(dataDir, 'embedded.lock')).mode & 0o777).toBe(0o600)
  })

  it('that cannot be used is named', async () => {
    const inFile = join(import.meta.filename, 'data')
    await expect(openEmbeddedPool({ dataDir: inFile })).rejects.toThrow(`cannot use ${inFile}: ENOTDIR`)
  })
})
