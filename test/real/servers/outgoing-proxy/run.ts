import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { startDatabase } from '../../../../demo/database.ts'
import { createDemoEid } from '../../../../demo/eid.ts'
import { giveDemoGrants } from '../../../../demo/grants.ts'
import { createDemoManagementApi } from '../../../../demo/management-api.ts'
import { demoPeople } from '../../../../demo/people.ts'
import { newSigningKey } from '../../../../demo/state.ts'
import { createDemoWorld } from '../../../../demo/world.ts'
import { organisationsFile } from '../../../../demo/world/credentials.ts'
import { createLogger } from '../../../../src/logger.ts'
import { openDatabase } from '../../../../src/store/database.ts'
import { migrate } from '../../../../src/store/migrations.ts'
import { Browser } from '../../../support/browser.ts'
import { start, type Running } from '../../../support/process.ts'
import { until } from '../../../support/until.ts'
import { type Certificates, freePort, makeCertificates, withServers, type Workshop } from '../server.ts'

const clientSecret = 'client-secret-of-the-run'
const password = 'password-of-the-proxy'

/** What the portal is given in each case, besides its database. */
type World = { readonly env: Readonly<Record<string, string>>; readonly apiPort: number; readonly eidPort: number }
type Proxy = { readonly url: string; readonly asked: () => string; readonly stop: () => Promise<void> }

// A portal whose only way out is tinyproxy, to an API and an eID with certificates of a private CA.
await withServers(['tinyproxy', 'openssl'], async (shop) => {
  chmodSync(shop.directory, 0o755)
  const certificates = makeCertificates(shop.directory)
  const authority = readFileSync(certificates.authority, 'utf8')
  setDefaultCACertificates([...getCACertificates('default'), authority])
  const server = await startDatabase({ directory: join(shop.directory, 'database') })
  if (!server) throw new Error('the database does not start')
  const world = await startWorld(shop, certificates, server.url)
  const trusts = { NODE_EXTRA_CA_CERTS: certificates.authority }
  try {
    await tryWays(shop, world, trusts)
    await tryTrouble(shop, world, trusts)
  } finally {
    await server.stop()
  }
})

/** Everything works through the proxy; NO_PROXY names what goes around it. */
async function tryWays(shop: Workshop, world: World, trusts: Readonly<Record<string, string>>): Promise<void> {
  const proxy = await startProxy(shop, [`BasicAuth portal ${password}`])
  const proxied = { ...trusts, NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: proxy.url }
  await withPortal(world, proxied, async (portal) => {
    const words = await signInAndRead(world)
    shop.check('through a proxy with a password: sync, sign-in and pages work', /fitness/i.test(words), words)
    const asked = proxy.asked()
    shop.check(
      'the calls to the API went through the proxy',
      asked.includes(`CONNECT 127.0.0.1:${world.apiPort}`),
      asked,
    )
    shop.check(
      'the calls to the eID went through the proxy',
      asked.includes(`CONNECT 127.0.0.1:${world.eidPort}`),
      asked,
    )
    shop.check('the log has no password of the proxy', !portal.output().includes(password), '')
  })
  const before = proxy.asked().length
  await withPortal(world, { ...proxied, NO_PROXY: `127.0.0.1:${world.eidPort}` }, async () => {
    const words = await signInAndRead(world)
    const asked = proxy.asked().slice(before)
    shop.check('with the eID in NO_PROXY: sign-in works', /fitness/i.test(words), words)
    shop.check('the calls to the eID went around the proxy', !asked.includes(`:${world.eidPort}`), asked)
  })
  const refusing = { ...proxied, HTTPS_PROXY: proxy.url.replace(password, 'wrong') }
  await trySaying(shop, world, 'a wrong password', refusing, /the proxy answers 40[17]: HTTPS_PROXY needs a user/)
  await proxy.stop()
}

async function tryTrouble(shop: Workshop, world: World, trusts: Readonly<Record<string, string>>): Promise<void> {
  const open = await startProxy(shop, [])
  const proxied = { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: open.url }
  const unknown = /the certificate is not trusted \(\w+\): name its CA in NODE_EXTRA_CA_CERTS/
  await trySaying(shop, world, 'an unknown CA', proxied, unknown)
  await trySaying(shop, world, 'an unknown CA, without a proxy', {}, unknown)
  await open.stop()
  await trySaying(shop, world, 'a proxy that has ended', { ...trusts, ...proxied }, 'cannot connect to 127.0.0.1:')
  const closed = await startProxy(shop, ['ConnectPort 1'])
  const refusing = { ...trusts, ...proxied, HTTPS_PROXY: closed.url }
  await trySaying(shop, world, 'a proxy that refuses', refusing, 'the proxy answers 403: it must allow this host')
  await closed.stop()
}

/** The log and `status` say the words about the API, and the log says them about the eID. */
async function trySaying(
  { check }: Workshop,
  world: World,
  what: string,
  env: Readonly<Record<string, string>>,
  words: string | RegExp,
): Promise<void> {
  const says = (text: string): boolean => (typeof words === 'string' ? text.includes(words) : words.test(text))
  await withPortal(world, env, async (portal) => {
    const lineWith = (msg: string) =>
      portal
        .output()
        .split('\n')
        .find((line) => line.includes(`"msg":"${msg}"`)) ?? ''
    await until(() => lineWith('upstream call failed') !== '' && lineWith('eID provider not found') !== '')
    const call = lineWith('upstream call failed')
    check(`${what}: the log says it about the API`, says(call), call)
    const discovery = lineWith('eID provider not found')
    check(`${what}: the log says it about the eID`, says(discovery), discovery)
    let status = ''
    await until(async () => says((status = await statusOf(world))), 30_000).catch(() => {})
    check(`${what}: status says it`, says(status), status)
    console.log(`       ${/the API did not answer .*?\S(?=  )/.exec(status)?.[0]}`)
  })
}

/** Starts the demo API and the demo eID over https, with a migrated database. */
async function startWorld({ directory }: Workshop, certificates: Certificates, databaseUrl: string): Promise<World> {
  const world = createDemoWorld({ salesUnits: 60 })
  const logger = createLogger('silent')
  const api = createDemoManagementApi(world, { logger, faults: {}, oddities: false })
  const [apiPort, eidPort, port] = [await freePort(), await freePort(), await freePort()]
  const [apiUrl, issuer, portalUrl] = [
    `https://127.0.0.1:${apiPort}`,
    `https://127.0.0.1:${eidPort}`,
    `http://127.0.0.1:${port}`,
  ]
  const eid = createDemoEid({
    issuer,
    portalUrl,
    clientId: 'portal',
    clientSecret,
    people: demoPeople,
    jwks: { keys: [newSigningKey()] },
    cookieKeys: ['cookie-key-of-the-run'],
  })
  const tls = { cert: readFileSync(certificates.certificate), key: readFileSync(certificates.key) }
  for (const [app, at] of [
    [api.app, apiPort],
    [eid, eidPort],
  ] as const) {
    const server = createServer(tls, app as RequestListener).listen(at, '127.0.0.1')
    server.unref()
    await once(server, 'listening')
  }
  const organisations = join(directory, 'organisations.json')
  writeFileSync(organisations, JSON.stringify(organisationsFile(world)), { mode: 0o600 })
  const database = openDatabase({ url: databaseUrl, logger })
  await migrate(database, logger)
  await giveDemoGrants(database.kysely, issuer)
  await database.close()
  const env = {
    PORT: String(port),
    PORTAL_URL: portalUrl,
    SHUTDOWN_DELAY_MS: '0',
    DATABASE_URL: databaseUrl,
    ORGANISATIONS_FILE: organisations,
    SESSION_SECRETS: 'session-secret-of-the-run-0123456789',
    MANAGEMENT_API_URL: apiUrl,
    WEBHOOKS_API_URL: apiUrl,
    MANAGEMENT_API_MAX_PER_SECOND: '500',
    SYNC_RETRY_SECONDS: '1',
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: 'portal',
    OIDC_CLIENT_SECRET: clientSecret,
  }
  return { env, apiPort, eidPort }
}

/** A proxy on loopback with these settings, and what it was asked for. */
async function startProxy({ directory, serve }: Workshop, settings: readonly string[]): Promise<Proxy> {
  const port = await freePort()
  const [file, log] = [join(directory, `tinyproxy-${port}.conf`), join(directory, `tinyproxy-${port}.log`)]
  const common = [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 60', 'LogLevel Connect', `LogFile "${log}"`]
  writeFileSync(file, `${[...common, ...settings].join('\n')}\n`)
  const server = await serve('tinyproxy', ['-d', '-c', file], port)
  const user = settings.some((setting) => setting.startsWith('BasicAuth')) ? `portal:${password}@` : ''
  return {
    url: `http://${user}127.0.0.1:${port}`,
    asked: () => readFileSync(log, 'utf8'),
    stop: async () => {
      const ended = once(server, 'close')
      server.kill('SIGTERM')
      await ended
    },
  }
}

/** Runs `use` with a portal that has not read anything yet. */
async function withPortal(
  world: World,
  env: Readonly<Record<string, string>>,
  use: (portal: Running) => Promise<void>,
): Promise<void> {
  const database = openDatabase({ url: String(world.env['DATABASE_URL']), logger: createLogger('silent') })
  await database.pool.query('truncate sync_state, organisation_sync, sales_units')
  await database.close()
  const portal = start('src/main.ts', { cwd: import.meta.dirname, env: { ...world.env, ...env } })
  try {
    await portal.says(/portal ready/)
    await use(portal)
  } finally {
    portal.child.kill()
    await portal.ended
  }
}

/** Signs in and waits until the list has been read. @returns the words of the list */
async function signInAndRead({ env }: World): Promise<string> {
  const browser = new Browser(String(env['PORTAL_URL']))
  await browser.signIn('Kari Nordmann')
  let words = ''
  await until(async () => {
    words = (await browser.open('/partners/12345/sales-units?q=fitness')).words
    return /1 sales unit|\d sales units match/.test(words)
  }, 30_000).catch(() => {})
  return words
}

async function statusOf({ env }: World): Promise<string> {
  const command = start('src/cli/main.ts', { cwd: import.meta.dirname, env, args: ['status'] })
  await command.ended
  return command.output()
}
