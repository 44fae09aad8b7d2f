import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate, schemaVersion } from '../../src/store/migrations.ts'
import { isServer } from '../support/database.ts'
import { startTestPortal } from '../support/portal.ts'

const logger = createLogger('silent')
const run = randomUUID().slice(0, 8)
let admin: Client
const created = { databases: [] as string[], roles: [] as string[] }

beforeAll(async () => {
  admin = new Client(inject('databaseUrl'))
  await admin.connect()
})
afterAll(async () => {
  for (const name of created.databases) await admin.query(`drop database ${name} with (force)`)
  for (const name of created.roles) await admin.query(`drop role ${name}`)
  await admin.end()
})

/** Creates a database, and a role that may only connect. @returns its URL, and one of an administrator */
async function createDatabase(options = ''): Promise<{ url: string; adminUrl: string; role: string; name: string }> {
  const name = `portal_${run}_${created.databases.length}`
  await admin.query(`create database ${name} template template0 ${options}`)
  created.databases.push(name)
  await admin.query(`create role ${name} login password 'secret'`)
  created.roles.push(name)
  const url = new URL(inject('databaseUrl'))
  url.pathname = `/${name}`
  const adminUrl = url.href
  url.username = name
  url.password = 'secret'
  return { url: url.href, adminUrl, role: name, name }
}

async function onDatabase(url: string, work: (database: Database) => Promise<void>): Promise<void> {
  const database = openDatabase({ url, logger })
  await work(database).finally(() => database.close())
}

async function statement(url: string, text: string): Promise<void> {
  const client = new Client(url)
  await client.connect()
  await client.query(text).finally(() => client.end())
}

describe.runIf(isServer())('a database that cannot be used is refused with the remedy', () => {
  it('when it does not exist', async () => {
    const url = new URL(inject('databaseUrl'))
    url.pathname = '/no_such_database'
    await onDatabase(url.href, async (database) => {
      await expect(migrate(database, logger)).rejects.toThrow(
        /^cannot connect to the database: database "no_such_database" does not exist$/,
      )
    })
  })

  it('when it has no TLS, and the URL asks for it', async () => {
    const url = new URL(inject('databaseUrl'))
    url.searchParams.set('sslmode', 'verify-full')
    await onDatabase(url.href, async (database) => {
      await expect(migrate(database, logger)).rejects.toThrow(
        /^cannot connect to the database: (The server does not support SSL connections|the server's certificate is not trusted)/,
      )
    })
  })

  it('when its encoding is not UTF8', async () => {
    const { adminUrl } = await createDatabase("encoding 'SQL_ASCII' locale 'C'")
    await onDatabase(adminUrl, async (database) => {
      await expect(migrate(database, logger)).rejects.toThrow(
        /^the database has the encoding SQL_ASCII, .*create database \w+ template template0 encoding 'UTF8'$/,
      )
    })
  })

  it('when its user may not create tables, or the extension', async () => {
    const { url, adminUrl, role } = await createDatabase()
    await statement(adminUrl, 'revoke create on schema public from public')
    await onDatabase(url, async (database) => {
      await expect(migrate(database, logger)).rejects.toThrow(
        `the database user may not create tables in the schema public: grant create on schema public to ${role}`,
      )
      await statement(adminUrl, `grant create on schema public to ${role}`)
      await expect(migrate(database, logger)).rejects.toThrow(
        /^the extension pg_trgm cannot be created \(permission denied .*\): an administrator must run create extension pg_trgm in this database/,
      )
      await statement(adminUrl, 'create extension pg_trgm')
      await migrate(database, logger)
      // With its tables, it needs no right to create others.
      await statement(adminUrl, `revoke create on schema public from ${role}`)
      await migrate(database, logger)
    })
  })

  it('when another connection holds the lock for minutes', async () => {
    const { adminUrl } = await createDatabase()
    await onDatabase(adminUrl, async (database) => {
      const other = await database.pool.connect()
      await other.query('begin')
      await other.query(`select pg_advisory_xact_lock(hashtext(current_schema() || ' migrations'))`)
      await expect(migrate(database, logger, { giveUpMs: 100 })).rejects.toThrow(
        /^gave up after 0\.1 s: another portal is migrating the database/,
      )
      await other.query('commit')
      other.release()
    })
  })
})

describe.runIf(isServer())('the portal on a server that is set up otherwise', () => {
  it('finds names in any spelling with the locale C', async () => {
    const { adminUrl } = await createDatabase("encoding 'UTF8' locale 'C'")
    const test = await startTestPortal({ env: { DATABASE_URL: adminUrl } })
    try {
      await sql`
        update sales_units set name = 'ØRSTA Ærlig ÅPENT' where organisation = 'partner/12345'
          and key = (select min(key) from sales_units where organisation = 'partner/12345')`.execute(
        test.portal.database.kysely,
      )
      const browser = await test.signedIn('Kari Nordmann')
      for (const q of ['ørsta ærlig åpent', 'aapent oersta']) {
        const page = await browser.open(`/partners/12345/sales-units?q=${encodeURIComponent(q)}`)
        expect(page.$('main mark').text()).toContain('ØRSTA')
      }
    } finally {
      await test.stop()
    }
  })

  it('migrates several schemas of a new database at once', async () => {
    const { adminUrl } = await createDatabase()
    const urls = ['a', 'b', 'c', 'd'].map((schema) => {
      const url = new URL(adminUrl)
      url.searchParams.set('options', `-c search_path=${schema}`)
      return { schema, url: url.href }
    })
    for (const { schema } of urls) await statement(adminUrl, `create schema ${schema}`)
    const versions = await Promise.all(
      urls.map(async ({ url }) => {
        const database = openDatabase({ url, logger })
        await migrate(database, logger)
        return schemaVersion(database).finally(() => database.close())
      }),
    )
    expect(versions).toEqual(['current', 'current', 'current', 'current'])
  })

  it('is not ready while the database is read-only', async () => {
    const { adminUrl, name } = await createDatabase()
    const test = await startTestPortal({ env: { DATABASE_URL: adminUrl } })
    try {
      const probe = async () => (await fetch(`${test.url}/readyz`)).json()
      expect(await probe()).toEqual({ status: 'ready' })
      await admin.query(`alter database ${name} set default_transaction_read_only = on`)
      await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
      await expect.poll(probe).toEqual({ status: 'not ready', reason: 'read-only database' })
    } finally {
      await test.stop()
    }
  })
})
