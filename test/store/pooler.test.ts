import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { sql } from 'kysely'
import { afterEach, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate, schemaVersion } from '../../src/store/migrations.ts'
import { createTestSchema } from '../support/database.ts'
import { createMemoryLog } from '../support/log.ts'

let pooler: Server
let database: Database
afterEach(async () => {
  await database.close()
  pooler.close()
})

/** How PgBouncer treats a startup parameter that it does not track. */
type Treatment = 'refuses' | 'drops'

/** A server in front of the tests' PostgreSQL that treats `statement_timeout` as PgBouncer does. @returns its URL */
async function startPooler(treatment: Treatment): Promise<string> {
  const url = new URL(await createTestSchema())
  const { hostname, port } = url
  const socket = url.searchParams.get('host')
  const open = (): Socket => (socket ? connect(`${socket}/.s.PGSQL.5432`) : connect(Number(port || 5432), hostname))
  pooler = createServer((client) => {
    client.on('error', () => {})
    client.once('data', (startup) => {
      if (treatment === 'refuses' && startup.includes('statement_timeout')) {
        client.end(errorResponse('unsupported startup parameter: statement_timeout'))
        return
      }
      const server = open().on('error', () => client.destroy())
      server.write(withoutTimeout(startup))
      client.pipe(server).pipe(client)
    })
  }).listen(0, '127.0.0.1')
  await once(pooler, 'listening')
  url.searchParams.delete('host')
  url.hostname = '127.0.0.1'
  url.port = String((pooler.address() as AddressInfo).port)
  return url.href
}

function withoutTimeout(startup: Buffer): Buffer {
  const body = startup
    .subarray(4)
    .toString('latin1')
    .replace(/statement_timeout\0\d+\0/, '')
  const message = Buffer.concat([Buffer.alloc(4), Buffer.from(body, 'latin1')])
  message.writeInt32BE(message.length)
  return message
}

function errorResponse(message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C08P01\0M${message}\0\0`)
  const head = Buffer.from('E\0\0\0\0')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

it.each<Treatment>(['refuses', 'drops'])('pages keep their timeout behind a pooler that %s it', async (treatment) => {
  const { logger, log } = createMemoryLog()
  database = openDatabase({ url: await startPooler(treatment), logger })
  await migrate(database, logger)
  expect(await schemaVersion(database)).toBe('current')
  const timeoutOf = async (db: Database['pages']) =>
    (await sql<{ timeout: string }>`select current_setting('statement_timeout') as timeout`.execute(db)).rows
  const pages = await Promise.all(Array.from({ length: 9 }, async () => timeoutOf(database.pages)))
  expect(pages).toEqual(pages.map(() => [{ timeout: '2s' }]))
  // No session has it, which another client of the pooler would get next.
  expect(await timeoutOf(database.kysely)).toEqual([{ timeout: '0' }])
  expect(log()).toContain('connection pooler found')
})

it('a statement that fails leaves no transaction behind a pooler', async () => {
  const { logger } = createMemoryLog()
  database = openDatabase({ url: await startPooler('refuses'), logger })
  for (let round = 0; round < 8; round += 1) {
    await expect(sql`select 1 / 0`.execute(database.pages)).rejects.toThrow('division by zero')
  }
  expect((await sql`select 1 as one`.execute(database.pages)).rows).toEqual([{ one: 1 }])
})
