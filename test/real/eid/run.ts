import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { load } from 'cheerio'
import { startDatabase } from '../../../demo/database.ts'
import { start } from '../../support/process.ts'
import { startGlewlwyd } from './glewlwyd.ts'
import { startLemonLdap } from './lemonldap.ts'
import type { RealProvider } from './provider.ts'
import { type Answer, Visitor } from './visitor.ts'

/** With the characters that libraries encode in different ways. */
const clientSecret = 'secret-with_marks.and*more'
const directory = mkdtempSync(join(tmpdir(), 'portal-real-eid-'))
const database = await startDatabase({ directory: join(directory, 'database') })
if (!database) throw new Error('the database does not start')

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { kid: 'portal', use: 'sig', alg: 'ES256' }
const keyFile = join(directory, 'signing.jwk')
writeFileSync(keyFile, JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ...jwk }), { mode: 0o600 })
const organisationsFile = join(directory, 'organisations.json')
writeFileSync(organisationsFile, '{"partners":[],"merchants":[]}', { mode: 0o600 })

const port = await freePort()
const portalUrl = `http://127.0.0.1:${port}`
const registration = {
  portalUrl,
  clientSecret,
  publicKeys: { keys: [{ ...publicKey.export({ format: 'jwk' }), ...jwk }] },
}
let failures = 0
try {
  for (const startProvider of [startLemonLdap, startGlewlwyd]) {
    const provider = await startProvider(directory, await freePort(), registration)
    console.log(provider.name)
    try {
      await tryProvider(provider)
    } finally {
      await provider.stop()
    }
  }
} finally {
  await database.stop()
  rmSync(directory, { recursive: true, force: true })
}
process.exitCode = failures === 0 ? 0 : 1

async function tryProvider(provider: RealProvider): Promise<void> {
  await withPortal(provider, {}, async (log) => {
    const visitor = new Visitor()
    const { page, callback } = await signIn(provider, visitor)
    check('sign-in with client_secret_basic', isProfile(page, provider), page.text)
    const { text } = await visitor.follow(`${portalUrl}/verify-email`)
    check('the e-mail address of the eID is read', text.includes(provider.user.email), text)
    const line = /.*"eID sign-in".*/.exec(log())?.[0] ?? ''
    check('the log names acr, issuer and scope', line.includes(provider.issuer), log())
    console.log(`         ${line.replace(/"time":"[^"]*","requestId":"[^"]*",/, '')}`)
    const again = await visitor.follow(callback)
    check('the same answer again ends at the same page', isProfile(again, provider), again.text)
    await signOut(provider, visitor, again)
    const login = await visitor.request(`${portalUrl}/login`)
    const asked = await visitor.follow(login.location ?? '', portalUrl)
    check('the session at the provider has ended', !asked.location?.href.startsWith(portalUrl), asked.location?.href)
    await endedByProvider(provider)
  })
  await trySignIn('client_secret_post', provider, { OIDC_CLIENT_AUTH: 'client_secret_post' })
  for (const [audience, works] of Object.entries(provider.audiences))
    await trySignIn(
      `private_key_jwt for ${audience}`,
      provider,
      {
        OIDC_CLIENT_AUTH: 'private_key_jwt',
        OIDC_CLIENT_SECRET: '',
        OIDC_PRIVATE_KEY_FILE: keyFile,
        OIDC_CLIENT_JWT_AUDIENCE: audience,
      },
      works,
    )
  await trySignIn('a wrong secret', provider, { OIDC_CLIENT_SECRET: 'wrong' }, false)
  await withPortal(provider, { OIDC_ISSUER: `${provider.issuer}/` }, async (log) => {
    await new Visitor().request(`${portalUrl}/login`)
    check(
      'a slash too many is named in the log',
      log().includes(`the provider calls itself ${provider.issuer}, OIDC_ISSUER says`),
      log(),
    )
  })
}

async function endedByProvider(provider: RealProvider): Promise<void> {
  if (!provider.endSession) return console.log('  -      back-channel logout: this version has none')
  const visitor = new Visitor()
  await signIn(provider, visitor)
  await provider.endSession(visitor)
  const ended = async (): Promise<boolean> => (await visitor.follow(`${portalUrl}/profile`)).url.pathname === '/'
  for (let tries = 0; !(await ended()) && tries < 20; tries += 1) await sleep(100)
  check('back-channel logout ends the session at the portal', await ended())
}

/** Signs in with these settings; a provider that refuses them is named in the log. */
async function trySignIn(
  what: string,
  provider: RealProvider,
  env: Readonly<Record<string, string>>,
  works = true,
): Promise<void> {
  await withPortal(provider, env, async (log) => {
    const { page } = await signIn(provider, new Visitor())
    const refused = /"type":"EidSetupError","message":"([^"]*)"/.exec(log())?.[1]
    const isRight = works ? isProfile(page, provider) : page.text.includes('Sign-in is not set up correctly')
    check(works ? `sign-in with ${what}` : `${what} is refused: ${refused}`, isRight, page.text + log())
  })
}

async function signIn(provider: RealProvider, visitor: Visitor): Promise<{ page: Answer; callback: URL }> {
  const login = await visitor.request(`${portalUrl}/login?returnTo=/profile`)
  if (!login.location) throw new Error(`/login answers ${login.status}`)
  const answer = await provider.signIn(visitor, login.location)
  if (!answer.location)
    throw new Error(
      `the provider does not lead back: ${answer.status} ${load(answer.text)('body').text().replaceAll(/\s+/g, ' ').slice(0, 500)}`,
    )
  return { page: await visitor.follow(answer.location), callback: answer.location }
}

async function signOut(provider: RealProvider, visitor: Visitor, page: Answer): Promise<void> {
  const csrf = load(page.text)('form[action="/logout"] input[name="_csrf"]').attr('value') ?? ''
  const logout = await visitor.request(`${portalUrl}/logout`, { form: { _csrf: csrf } })
  if (!logout.location) throw new Error(`/logout answers ${logout.status}`)
  const back = await provider.signOut(visitor, logout.location)
  check(
    'sign-out leads back to the portal',
    back.location?.href === `${portalUrl}/`,
    back.location?.href ?? back.text.slice(0, 300),
  )
  const profile = await visitor.follow(`${portalUrl}/profile`)
  check('the session at the portal has ended', profile.text.includes('Sign in with eID'))
}

function isProfile({ url, text }: Answer, { user }: RealProvider): boolean {
  return url.pathname === '/profile' && text.includes(user.name)
}

/** Runs `use` with a portal for this provider. */
async function withPortal(
  provider: RealProvider,
  env: Readonly<Record<string, string>>,
  use: (log: () => string) => Promise<void>,
): Promise<void> {
  const portal = start('src/main.ts', {
    cwd: directory,
    env: {
      PORT: String(port),
      PORTAL_URL: portalUrl,
      SHUTDOWN_DELAY_MS: '0',
      DATABASE_URL: String(database?.url),
      ORGANISATIONS_FILE: organisationsFile,
      SESSION_SECRETS: 'session-secret-of-the-tests-0123456789',
      // Nothing is mailed; without these, users cannot verify an address.
      SMTP_URL: 'smtp://127.0.0.1:1',
      MAIL_FROM: 'portal@example.com',
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: 'portal',
      OIDC_CLIENT_SECRET: clientSecret,
      ...provider.env,
      ...env,
    },
  })
  try {
    await portal.says(/portal ready/)
    await use(portal.output)
  } finally {
    portal.child.kill()
    await portal.ended
  }
}

function check(what: string, isSo: boolean, detail = ''): void {
  if (!isSo) failures += 1
  console.log(`  ${isSo ? 'ok    ' : 'NOT OK'} ${what}`)
  if (!isSo && detail !== '')
    console.log(detail.replaceAll(/<(head|header|style)[\s\S]*?<\/\1>|<[^>]*>|\s+/g, ' ').slice(-3000))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const free = (server.address() as AddressInfo).port
  server.close()
  return free
}
