import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, escapeIdentifier } from 'pg'
import { atEnd } from './ending.ts'

/** An empty database: where it is, in the words of the portal's environment. */
export type Place = {
  readonly env: { readonly DATABASE_URL: string }
}

const serverUrl =
  process.env['BENCH_DATABASE_URL'] ??
  process.env['TEST_DATABASE_URL'] ??
  'postgres://postgres@127.0.0.1:5432/test'

const withServer = async <Result>(work: (client: Client) => Promise<Result>): Promise<Result> => {
  const client = new Client({ connectionString: serverUrl, connectionTimeoutMillis: 5000 })
  await client.connect()
  return work(client).finally(() => client.end())
}

/** The version of the PostgreSQL there is; undefined when none answers. */
export const postgresqlVersion = async (): Promise<string | undefined> => {
  try {
    return await withServer(async (client) => {
      const { rows } = await client.query<{ server_version: string }>('show server_version')
      return rows[0]?.server_version
    })
  } catch {
    return undefined
  }
}

/** A directory for this run, gone at its end. */
export const temporaryDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'portal-bench-'))
  atEnd(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const newSchema = async (): Promise<string> => {
  const schema = `bench_${randomUUID().replaceAll('-', '').slice(0, 20)}`
  await withServer(async (client) => client.query(`create schema ${schema}`))
  atEnd(async () =>
    withServer(async (client) => {
      // The job queue has a schema of its own beside it.
      for (const name of [schema, `${schema}_jobs`])
        await client.query(`drop schema if exists ${escapeIdentifier(name)} cascade`)
    }),
  )
  const url = new URL(serverUrl)
  url.searchParams.set('options', `-c search_path=${schema}`)
  return url.href
}

/** An empty database, gone at the end of the run. */
export const newPlace = async (): Promise<Place> => ({ env: { DATABASE_URL: await newSchema() } })
