import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { createLogger } from '../../src/logger.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrations.ts'

export const testDatabaseUrl = process.env['TEST_DATABASE_URL']

const logger = createLogger('silent')

const onServer = async (url: string, statement: string): Promise<void> => {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

const openSchema = async (url: string): Promise<Database> => {
  const schema = `test_${randomUUID().replaceAll('-', '')}`
  await onServer(url, `create schema ${schema}`)
  const inSchema = new URL(url)
  inSchema.searchParams.set('options', `-c search_path=${schema}`)
  const database = await openDatabase({ url: inSchema.href, dataDir: 'memory', logger })
  const close = async () => {
    await database.close()
    await onServer(url, `drop schema if exists ${schema} cascade`)
  }
  return { ...database, close }
}

/**
 * A database of its own, empty: embedded in memory, or with TEST_DATABASE_URL a new schema on that PostgreSQL,
 * which close() drops. So the same tests run on both.
 */
export const openEmptyTestDatabase = (): Promise<Database> =>
  testDatabaseUrl ? openSchema(testDatabaseUrl) : openDatabase({ dataDir: 'memory', logger })

/** The same, with all migrations. */
export const openTestDatabase = async (): Promise<Database> => {
  const database = await openEmptyTestDatabase()
  await migrate(database)
  return database
}
