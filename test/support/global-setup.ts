import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, escapeIdentifier } from 'pg'
import type { TestProject } from 'vitest/node'
import { startDatabase } from '../../demo/database.ts'

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string
    /** The prefix of this run's schema names. */
    schemaPrefix: string
  }
}

/** Provides the PostgreSQL of TEST_DATABASE_URL to all test files, or starts one for this run. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const schemaPrefix = `test_${randomUUID().slice(0, 8)}_`
  provide('schemaPrefix', schemaPrefix)
  const url = process.env['TEST_DATABASE_URL']
  if (url) {
    provide('databaseUrl', url)
    return async () => dropSchemas(url, schemaPrefix)
  }
  const directory = mkdtempSync(join(tmpdir(), 'portal-test-'))
  const server = await startDatabase({ directory })
  if (!server) throw new Error(`another process has ${directory}`)
  provide('databaseUrl', server.url)
  return async () => {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function dropSchemas(url: string, prefix: string): Promise<void> {
  const client = new Client(url)
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    'select nspname as name from pg_namespace where starts_with(nspname, $1)',
    [prefix],
  )
  for (const { name } of rows) await client.query(`drop schema ${escapeIdentifier(name)} cascade`)
  await client.end()
}
