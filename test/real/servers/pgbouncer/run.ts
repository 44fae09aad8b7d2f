import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { createLogger } from '../../../../src/logger.ts'
import { openDatabase } from '../../../../src/store/database.ts'
import { migrate } from '../../../../src/store/migrations.ts'
import { startTestPortal } from '../../../support/portal.ts'
import { until } from '../../../support/until.ts'
import { freePort, give, idsOf, withServers, type Workshop } from '../server.ts'

// The portal on PostgreSQL with passwords, and behind PgBouncer in session and transaction mode.
await withServers(['postgresql-15', 'pgbouncer'], async (shop) => {
  const postgres = await startPostgres(shop)
  await tryFailures(shop, postgres)
  for (const mode of ['session', 'transaction'] as const) {
    for (const ignored of ['', 'statement_timeout']) {
      const port = await startPgBouncer(shop, { mode, ignored, postgres, database: `portal_${mode}_${ignored}` })
      await tryPortal(shop, `${mode} mode${ignored && `, ignoring ${ignored}`}`, port, `portal_${mode}_${ignored}`)
    }
  }
})

async function startPostgres({ directory, serve }: Workshop): Promise<number> {
  const bin = '/usr/lib/postgresql/15/bin'
  chmodSync(directory, 0o755)
  const data = join(directory, 'data')
  mkdirSync(data)
  give(data, 'postgres')
  const passwords = join(directory, 'password')
  writeFileSync(passwords, 'secret\n')
  const options = [
    '--username=portal',
    `--pwfile=${passwords}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
  ]
  execFileSync(`${bin}/initdb`, ['-D', data, ...options], { ...idsOf('postgres'), stdio: 'ignore' })
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${data}`, 'fsync=off', 'datestyle=SQL, DMY']
  const oddities = ['timezone=Europe/Oslo', 'max_connections=60']
  const flags = [...settings, ...oddities].flatMap((setting) => ['-c', setting])
  await serve(`${bin}/postgres`, ['-D', data, '-p', String(port), ...flags], port, 'postgres')
  const database = openDatabase({ url: urlOf(port, 'postgres'), logger: createLogger('silent') })
  await until(async () =>
    sql`select 1`.execute(database.kysely).then(
      () => true,
      () => false,
    ),
  )
  for (const mode of ['session', 'transaction'])
    for (const ignored of ['', 'statement_timeout'])
      await sql.raw(`create database portal_${mode}_${ignored}`).execute(database.kysely)
  await database.close()
  return port
}

function urlOf(port: number, database: string, password = 'secret'): string {
  return `postgres://portal:${password}@127.0.0.1:${port}/${database}`
}

async function tryFailures({ check }: Workshop, port: number): Promise<void> {
  for (const [url, expected] of [
    [urlOf(port, 'postgres', 'wrong'), 'password authentication failed for user "portal"'],
    [urlOf(port, 'missing'), 'database "missing" does not exist'],
    [`${urlOf(port, 'postgres')}?sslmode=verify-full`, 'The server does not support SSL connections'],
    [`postgres://portal@127.0.0.1:${port}/postgres`, 'the server asks for a password, and DATABASE_URL has none'],
  ] as const) {
    const database = openDatabase({ url, logger: createLogger('silent') })
    const said = await migrate(database, createLogger('silent')).then(() => 'nothing', String)
    await database.close()
    check(`says: ${expected}`, said === `DatabaseUnavailableError: cannot connect to the database: ${expected}`, said)
  }
}

async function startPgBouncer(
  { directory, serve }: Workshop,
  options: { readonly mode: string; readonly ignored: string; readonly postgres: number; readonly database: string },
): Promise<number> {
  const port = await freePort()
  const { mode, ignored, postgres, database } = options
  const [file, users] = [join(directory, `${database}.ini`), join(directory, 'users.txt')]
  writeFileSync(users, '"portal" "secret"\n')
  const lines = [
    '[databases]',
    `* = host=127.0.0.1 port=${postgres}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = scram-sha-256',
    `auth_file = ${users}`,
    `pool_mode = ${mode}`,
    // Fewer servers than clients, so that clients share them.
    `default_pool_size = ${mode === 'transaction' ? 5 : 20}`,
    ...(ignored ? [`ignore_startup_parameters = ${ignored}`] : []),
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  give(file, 'postgres')
  give(users, 'postgres')
  await serve('/usr/sbin/pgbouncer', [file], port, 'postgres')
  return port
}

async function tryPortal({ check }: Workshop, mode: string, port: number, database: string): Promise<void> {
  const test = await startTestPortal({ env: { DATABASE_URL: urlOf(port, database) } })
  try {
    const browser = await test.signedIn('Kari Nordmann')
    const page = await browser.open('/partners/12345/sales-units?q=fitness')
    check(
      `${mode}: starts, syncs, signs in and searches`,
      page.status === 200 && /fitness/i.test(page.words),
      page.words,
    )
    const { kysely, pages } = test.portal.database
    const timeouts = await Promise.all(
      Array.from({ length: 20 }, async () =>
        sql<{ timeout: string }>`select current_setting('statement_timeout') as timeout, pg_sleep(0.02)`.execute(pages),
      ),
    )
    const seen = [...new Set(timeouts.map(({ rows }) => rows[0]?.timeout))].join()
    check(`${mode}: every statement of a page has 2 s`, seen === '2s', seen)
    const others = await Promise.all(
      Array.from({ length: 20 }, async () =>
        sql<{ timeout: string; style: string; zone: string }>`
          select current_setting('statement_timeout') as timeout, current_setting('datestyle') as style,
            current_setting('timezone') as zone, pg_sleep(0.02)`.execute(kysely),
      ),
    )
    const settings = [...new Set(others.map(({ rows }) => JSON.stringify(rows[0])))]
    check(
      `${mode}: no other statement has them`,
      settings.every((text) => !text.includes('"2s"')),
      settings,
    )
    check(
      `${mode}: dates and times are ISO and UTC`,
      settings.every((text) => /"ISO.*"UTC"/.test(text)),
      settings,
    )
    await sql`select pg_sleep(3)`.execute(pages).then(
      () => check(`${mode}: a slow statement of a page is ended`, false),
      (error: unknown) =>
        check(
          `${mode}: a slow statement of a page is ended`,
          /57014/.test(String((error as { code?: unknown }).code)),
          error,
        ),
    )
    const again = openDatabase({ url: urlOf(port, database), logger: createLogger('silent') })
    await migrate(again, createLogger('silent'), { giveUpMs: 5000 }).then(
      () => check(`${mode}: a second instance does not wait for a lock`, true),
      (error: unknown) => check(`${mode}: a second instance does not wait for a lock`, false, error),
    )
    await again.close()
    const errors = test
      .log()
      .split('\n')
      .filter((line) => /"level":[56]0/.test(line))
    check(`${mode}: logs no error`, errors.length === 0, errors[0])
  } finally {
    await test.stop()
  }
}
