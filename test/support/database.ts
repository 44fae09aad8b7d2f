import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrations.ts'

export const testDatabaseUrl = process.env['TEST_DATABASE_URL']

const logger = createLogger('silent')

const onServer = async (url: string, statement: string): Promise<void> => {
  const client = new Client(url)
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

/**
 * A new schema on the PostgreSQL of TEST_DATABASE_URL, as a URL that leads there; without TEST_DATABASE_URL no
 * URL, which means the embedded database.
 */
export const createTestSchema = async (): Promise<{
  readonly url: string | undefined
  readonly drop: () => Promise<void>
}> => {
  if (!testDatabaseUrl) return { url: undefined, drop: async () => {} }
  const schema = `test_${randomUUID().replaceAll('-', '')}`
  await onServer(testDatabaseUrl, `create schema ${schema}`)
  const inSchema = new URL(testDatabaseUrl)
  inSchema.searchParams.set('options', `-c search_path=${schema}`)
  return {
    url: inSchema.href,
    drop: () => onServer(testDatabaseUrl, `drop schema if exists ${schema} cascade`),
  }
}

/**
 * A database of its own, empty: embedded in memory, or with TEST_DATABASE_URL a new schema on that PostgreSQL,
 * which close() drops. So the same tests run on both.
 */
export const openEmptyTestDatabase = async (): Promise<Database> => {
  const { url, drop } = await createTestSchema()
  const database = await openDatabase({ url, dataDir: inject('embeddedDatabase'), logger })
  const close = async () => {
    await database.close()
    await drop()
  }
  return { ...database, close }
}

/** The same, with all migrations. */
export const openTestDatabase = async (): Promise<Database> => {
  const database = await openEmptyTestDatabase()
  await migrate(database)
  return database
}
