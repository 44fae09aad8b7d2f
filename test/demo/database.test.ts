import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type DatabaseServer, startDatabase } from '../../demo/database.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-database-'))
// As an earlier umask may have left it.
chmodSync(directory, 0o777)
let server: DatabaseServer
const clients: Client[] = []

async function connect(parameters: Readonly<Record<string, string>> = {}): Promise<Client> {
  const url = new URL(server.url)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const client = new Client(url.href)
  client.on('error', () => {})
  clients.push(client)
  await client.connect()
  return client
}

beforeAll(async () => {
  const started = await startDatabase({ directory, execArgv: ['--liftoff-only'] })
  if (!started) throw new Error(`another process has ${directory}`)
  server = started
})
afterAll(async () => {
  await Promise.all(clients.map(async (client) => client.end()))
  await server.stop()
  rmSync(directory, { recursive: true })
})

it('the database is only for the user who started it, and for one process at a time', async () => {
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(await startDatabase({ directory })).toBeUndefined()
  const long = join(directory, 'x'.repeat(100))
  await expect(startDatabase({ directory: long })).rejects.toThrow('is too long for the path of a UNIX socket')
})

it('each connection keeps its own settings', async () => {
  const admin = await connect()
  for (const schema of ['one', 'two']) await admin.query(`create schema ${schema}`)
  const one = await connect({ options: '-c search_path=one', application_name: "o'ne" })
  const two = await connect({ options: '-c search_path=two -c statement_timeout=7s' })
  await Promise.all([one, two].map(async (client) => client.query('create table here (x int)')))
  await one.query('insert into here values (1)')
  const settings = `select current_setting('application_name') as name, current_setting('statement_timeout') as timeout,
    (select count(*)::int from here) as rows`
  expect((await one.query(settings)).rows).toEqual([{ name: "o'ne", timeout: '0', rows: 1 }])
  expect((await two.query(settings)).rows).toEqual([{ name: '', timeout: '7s', rows: 0 }])
})

it('concurrent queries of several connections do not mix, even long ones', async () => {
  // PGlite's timeout would fire between the messages of a query if they were executed one by one.
  const withShortTimeout = async (): Promise<Client> => connect({ statement_timeout: '1' })
  const askers = await Promise.all(Array.from({ length: 5 }, withShortTimeout))
  const ask = async (client: Client, index: number): Promise<void> => {
    for (let round = 0; round < 10; round += 1) {
      const text = 'x'.repeat(300_000 + index)
      const parameters = index % 2 === 0 ? [text] : [text, index]
      const { rows } = await client.query(
        `select length($1::text) as length, ${index} as index ${index % 2 === 0 ? '' : ', $2::int as second'}`,
        parameters,
      )
      expect(rows[0]).toMatchObject({ length: text.length, index })
    }
  }
  await Promise.all(askers.map(ask))
})

it('a transaction is isolated, and rolled back when its connection is lost', async () => {
  const [one, two] = [await connect(), await connect()]
  await one.query('create table kept (x int)')
  await one.query('begin')
  await one.query('insert into kept values (1)')
  const counted = two.query('select count(*)::int as count from kept')
  await one.query('commit')
  expect((await counted).rows).toEqual([{ count: 1 }])
  await one.query('begin')
  await one.query('insert into kept values (2)')
  const still = two.query('select count(*)::int as count from kept')
  Reflect.get(Reflect.get(one, 'connection') as object, 'stream').destroy()
  expect((await still).rows).toEqual([{ count: 1 }])
})

it('a listening connection receives the notifications of another', async () => {
  const [one, two] = [await connect(), await connect()]
  const heard = vi.fn<(payload: string | undefined) => void>()
  one.on('notification', ({ payload }) => heard(payload))
  await one.query('listen news')
  await two.query(`select pg_notify('news', 'hello')`)
  await vi.waitFor(() => expect(heard).toHaveBeenCalledWith('hello'))
})
