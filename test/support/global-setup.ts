import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { Client, escapeIdentifier } from 'pg'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** A DATA_DIR for an empty embedded database in memory. */
    embeddedDatabase: string
    /** What the names of this run's schemas begin with. */
    schemaPrefix: string
  }
}

/** Writes an empty embedded database to `file`: to begin as a copy of it takes a tenth of the time. */
const writeSnapshot = async (file: string): Promise<void> => {
  const database = await PGlite.create({ extensions: { pg_trgm } })
  const dump = await database.dumpDataDir('none')
  writeFileSync(file, Buffer.from(await dump.arrayBuffer()))
  await database.close()
}

const dropSchemas = async (url: string, prefix: string): Promise<void> => {
  const client = new Client(url)
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    'select nspname as name from pg_namespace where starts_with(nspname, $1)',
    [prefix],
  )
  for (const { name } of rows) await client.query(`drop schema ${escapeIdentifier(name)} cascade`)
  await client.end()
}

/**
 * What all test files share: a snapshot of the embedded database and a prefix for schemas. Schemas are dropped here, at
 * the end: Kysely's migrator looks at all of them, and fails when one goes away while it does.
 */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const directory = mkdtempSync(join(tmpdir(), 'portal-snapshot-'))
  const snapshot = join(directory, 'empty.tar')
  await writeSnapshot(snapshot)
  const prefix = `test_${randomUUID().slice(0, 8)}_`
  provide('embeddedDatabase', `:memory:${snapshot}`)
  provide('schemaPrefix', prefix)
  return async () => {
    rmSync(directory, { recursive: true, force: true })
    const url = process.env['TEST_DATABASE_URL']
    if (url) await dropSchemas(url, prefix)
  }
}
