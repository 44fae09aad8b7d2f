import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrations.ts'

export const testDatabaseUrl = process.env['TEST_DATABASE_URL']

/**
 * A new schema on the PostgreSQL of TEST_DATABASE_URL, as a URL that leads there; without TEST_DATABASE_URL
 * undefined, which means the embedded database. It goes away at the end of the run.
 */
export const createTestSchema = async (): Promise<string | undefined> => {
  if (!testDatabaseUrl) return undefined
  const schema = `${inject('schemaPrefix')}${randomUUID().replaceAll('-', '').slice(0, 20)}`
  const client = new Client(testDatabaseUrl)
  await client.connect()
  await client.query(`create schema ${schema}`).finally(() => client.end())
  const inSchema = new URL(testDatabaseUrl)
  inSchema.searchParams.set('options', `-c search_path=${schema}`)
  return inSchema.href
}

/**
 * A database of its own, empty: embedded in memory, or with TEST_DATABASE_URL a new schema on that PostgreSQL. So
 * the same tests run on both.
 */
export const openEmptyTestDatabase = async (): Promise<Database> =>
  openDatabase({
    url: await createTestSchema(),
    dataDir: inject('embeddedDatabase'),
    logger: createLogger('silent'),
  })

/** The same, with all migrations. */
export const openTestDatabase = async (): Promise<Database> => {
  const database = await openEmptyTestDatabase()
  await migrate(database)
  return database
}
