import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, escapeIdentifier } from 'pg'
import type { TestProject } from 'vitest/node'
import { startDatabase } from '../../src/demo/database.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** PostgreSQL servers; a worker uses one of them. */
    databaseUrls: string[]
    /** What the names of this run's schemas begin with. */
    schemaPrefix: string
  }
}

/** Gives all test files the PostgreSQL of TEST_DATABASE_URL; without it, servers of their own. */
export default async ({ provide, vitest }: TestProject): Promise<() => Promise<void>> => {
  const schemaPrefix = `test_${randomUUID().slice(0, 8)}_`
  provide('schemaPrefix', schemaPrefix)
  const url = process.env['TEST_DATABASE_URL']
  if (url) {
    provide('databaseUrls', [url])
    return async () => dropSchemas(url, schemaPrefix)
  }
  const servers = await Promise.all(
    Array.from({ length: Number(process.env['SERVERS'] ?? vitest.config.maxWorkers) }, startServer),
  )
  provide(
    'databaseUrls',
    servers.map((server) => server.url),
  )
  return async () => {
    await Promise.all(servers.map(async (server) => server.stop()))
  }
}

/** Its WebAssembly is not optimised: that costs more than it gives in the minutes that it runs. */
async function startServer() {
  const directory = mkdtempSync(join(tmpdir(), 'portal-test-'))
  const server = await startDatabase({ directory, execArgv: process.env['OPT'] ? [] : ['--liftoff-only'] })
  if (!server) throw new Error(`another process has ${directory}`)
  return {
    url: server.url,
    stop: async () => {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    },
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
