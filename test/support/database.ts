import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrations.ts'

/** Creates a schema for a test, which is dropped at the end of the run. @returns a DATABASE_URL with this schema */
export async function createTestSchema(): Promise<string> {
  const url = new URL(inject('databaseUrl'))
  const schema = `${inject('schemaPrefix')}${randomUUID().replaceAll('-', '').slice(0, 20)}`
  const client = new Client(url.href)
  await client.connect()
  await client.query(`create schema ${schema}`).finally(() => client.end())
  url.searchParams.set('options', `-c search_path=${schema} -c synchronous_commit=off`)
  return url.href
}

/** False for the embedded PostgreSQL of a run without TEST_DATABASE_URL: one database, one role, one shared session. */
export function isServer(): boolean {
  return !new URL(inject('databaseUrl')).searchParams.has('host')
}

/** Opens a database with a new, empty schema. */
export async function openEmptyTestDatabase(): Promise<Database> {
  return openDatabase({ url: await createTestSchema(), logger: createLogger('silent') })
}

/** Opens a database with a new, migrated schema. */
export async function openTestDatabase(): Promise<Database> {
  const database = await openEmptyTestDatabase()
  await migrate(database, createLogger('silent'))
  return database
}
