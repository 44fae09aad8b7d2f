import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answers, type Lies, type LyingProvider, startLyingProvider } from '../support/lying-provider.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { type PortalOf, startPortalOf } from './portal-of.ts'
import { buttonOf, inWords, startTab } from './steps.ts'

const unavailable = [503, 'The eID service does not answer', 'Try again'] as const
const nonsense = [502, 'The eID service gave an answer we cannot trust', 'Try again'] as const
const html = answers(200, '<!doctype html><h1>Welcome</h1>', 'text/html')
const never = () => {}
/** What was before JSON; error messages of parsers quote the beginning. */
const notJson = answers(200, 'access-token-of-the-tests=x&id_token=eyJ')
const stops = answers(200, '{"access_token":"access-token-of-the-tests","id_tok')

let provider: LyingProvider
let portal: PortalOf
let port: number
beforeAll(async () => {
  const gone = await startLyingProvider()
  await gone.stop()
  port = Number(new URL(gone.issuer).port)
  portal = await startPortalOf(gone.issuer, { times: { timeoutMs: 300, refetchKeysMs: 0 } })
})
afterAll(async () => {
  await portal.stop()
  await provider.stop()
})

/** The eID leads back to the portal with a code; then the lies begin. */
const signIn = async (lies: Lies, browser: Browser = portal.browser()): Promise<Visit> => {
  const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
  provider.lie(lies, String(searchParams.get('nonce')))
  return browser.open(`/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}`)
}

// In order: what the portal has found out about the provider it keeps.
describe('the provider', () => {
  it('is down: the portal says so, and is there otherwise', async () => {
    const browser = portal.browser()
    expect((await browser.open('/')).status).toBe(200)
    const page = await browser.open('/login?returnTo=/profile')
    expect(inWords(page)).toEqual(unavailable)
    expect(buttonOf(page)).toBe('/login?returnTo=/profile')
    expect(page.headers['set-cookie']).toBeUndefined()
  })

  it.each<[string, Lies, readonly [number, string, string]]>([
    ['calls itself another issuer', { metadata: { issuer: 'https://evil.example' } }, nonsense],
    ['has no issuer', { metadata: { issuer: undefined } }, nonsense],
    ['answers discovery with 500', { answer: { discovery: answers(500, {}) } }, unavailable],
    [
      'answers discovery with 503 in HTML',
      { answer: { discovery: answers(503, '', 'text/html') } },
      unavailable,
    ],
    ['answers discovery with 404', { answer: { discovery: answers(404, {}) } }, nonsense],
    ['answers discovery with HTML', { answer: { discovery: html } }, nonsense],
    ['answers discovery with half of JSON', { answer: { discovery: stops } }, nonsense],
    ['does not answer discovery in time', { answer: { discovery: never } }, unavailable],
    ['hangs up', { answer: { discovery: (res) => res.destroy() } }, unavailable],
  ])('%s', async (_name, lies, words) => {
    provider ??= await startLyingProvider(port)
    provider.lie(lies)
    expect(inWords(await portal.browser().open('/login'))).toEqual(words)
  })

  it('is found as soon as it is there', async () => {
    provider.lie({})
    expect((await startTab(portal.browser())).href).toContain(`${provider.issuer}/authorize?`)
  })

  it.each<[string, Lies, readonly [number, string, string]]>([
    ['has no keys to be had', { answer: { jwks: answers(500, {}) } }, unavailable],
    ['has HTML for keys', { answer: { jwks: html } }, nonsense],
    ['has no key of this name', { header: { kid: 'another' } }, nonsense],
  ])('%s', async (_name, lies, words) => {
    expect(inWords(await signIn(lies))).toEqual(words)
  })

  it('tells the truth: one is signed in, with what userinfo says', async () => {
    const page = await signIn({ userinfo: { name: 'Ma\u0000ry\nAnn  ', email: 'mary@example.com' } })
    expect([page.status, page.url.pathname]).toEqual([200, '/profile'])
    expect(page.words).toContain('Ma ry Ann')
    expect(page.words).toContain('mary@example.com')
  })
})

const now = Math.floor(Date.now() / 1000)
const error = (status: number, code: string) => ({ answer: { token: answers(status, { error: code }) } })
const token = (body: object) => ({ answer: { token: answers(200, { ...body }) } })

describe('a sign-in that comes back', () => {
  it.each<[string, Lies, readonly [number, string, string]]>([
    ['token: 500', { answer: { token: answers(500, {}) } }, unavailable],
    ['token: 500 in HTML', { answer: { token: answers(500, '<h1>Oops</h1>', 'text/html') } }, unavailable],
    ['token: 503 with an error', error(503, 'temporarily_unavailable'), unavailable],
    ['token: 429', error(429, 'slow_down'), unavailable],
    ['token: HTML', { answer: { token: html } }, nonsense],
    ['token: half of JSON', { answer: { token: stops } }, nonsense],
    ['token: no JSON', { answer: { token: notJson } }, nonsense],
    ['token: a list', { answer: { token: answers(200, '[]') } }, nonsense],
    [
      'token: elsewhere',
      { answer: { token: (res) => res.writeHead(302, { location: '/' }).end() } },
      nonsense,
    ],
    ['token: no answer in time', { answer: { token: never } }, unavailable],
    [
      'token: only half an answer in time',
      { answer: { token: (res) => res.writeHead(200, { 'content-type': 'application/json' }).write('{') } },
      unavailable,
    ],
    ['token: hangs up', { answer: { token: (res) => res.destroy() } }, unavailable],
    ['token: our keys are refused', error(401, 'invalid_client'), nonsense],
    [
      'token: our keys are refused by a challenge',
      { answer: { token: (res) => res.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end() } },
      nonsense,
    ],
    [
      'token: no ID token',
      token({ access_token: 'access-token-of-the-tests', token_type: 'Bearer' }),
      nonsense,
    ],
    ['ID token: not one', token({ access_token: 'a', token_type: 'Bearer', id_token: 'x.y.z' }), nonsense],
    ['ID token: another audience', { claims: { aud: 'another' } }, nonsense],
    ['ID token: another issuer', { claims: { iss: 'https://evil.example' } }, nonsense],
    ['ID token: another nonce', { claims: { nonce: 'another' } }, nonsense],
    ['ID token: no nonce', { claims: { nonce: undefined } }, nonsense],
    ['ID token: expired', { claims: { exp: now - 120 } }, nonsense],
    ['ID token: of the future', { claims: { nbf: now + 600 } }, nonsense],
    ['ID token: no subject', { claims: { sub: undefined } }, nonsense],
    ['ID token: subject is a number', { claims: { sub: 7 } }, nonsense],
    ['ID token: empty subject', { claims: { sub: '' }, userinfo: { sub: '' } }, nonsense],
    [
      'ID token: U+0000 in the subject',
      { claims: { sub: 'a\u0000b' }, userinfo: { sub: 'a\u0000b' } },
      nonsense,
    ],
    ['ID token: signed by somebody else', { foreignKey: true }, nonsense],
    ['ID token: not signed', { header: { alg: 'none' } }, nonsense],
    ['ID token: signed with our secret', { header: { alg: 'HS256' } }, nonsense],
    ['userinfo: 500', { answer: { userinfo: answers(500, {}) } }, unavailable],
    ['userinfo: no answer in time', { answer: { userinfo: never } }, unavailable],
    ['userinfo: refused', { answer: { userinfo: answers(401, {}) } }, nonsense],
    ['userinfo: somebody else', { userinfo: { sub: 'another' } }, nonsense],
  ])('%s', async (_name, lies, words) => {
    const browser = portal.browser()
    const page = await signIn(lies, browser)
    expect(inWords(page)).toEqual(words)
    expect(buttonOf(page)).toBe('/login?returnTo=%2Fprofile')
    expect((await browser.open('/profile')).words).toContain('Sign in with eID')
  })

  it('is loaded again while the provider takes its time: the code is used once, and one is signed in', async () => {
    const browser = portal.browser()
    const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
    const asked = Promise.withResolvers<void>()
    let calls = 0
    const slow: Lies = {
      answer: {
        userinfo: (res) => {
          calls += 1
          asked.resolve()
          void setTimeout(200).then(() => answers(200, { sub: 'somebody' })(res))
        },
      },
    }
    provider.lie(slow, String(searchParams.get('nonce')))
    const callback = `/auth/callback?code=x&state=${searchParams.get('state')}`
    const first = browser.open(callback)
    await asked.promise
    expect(inWords(await browser.open(callback))).toEqual([
      400,
      'This sign-in is no longer valid',
      'Start the sign-in again',
    ])
    expect((await first).url.pathname).toBe('/profile')
    expect((await browser.open('/profile')).url.pathname).toBe('/profile')
    expect(calls).toBe(1)
  })

  it('fails while another tab signs in: the other one stays signed in', async () => {
    const browser = portal.browser()
    const [slow, fast] = [await startTab(browser), await startTab(browser)]
    const asked = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const token500: Lies = {
      answer: {
        token: (res) => {
          asked.resolve()
          void release.promise.then(() => answers(500, {})(res))
        },
      },
    }
    provider.lie(token500)
    const failing = browser.open(`/auth/callback?code=x&state=${slow.searchParams.get('state')}`)
    await asked.promise
    provider.lie({}, String(fast.searchParams.get('nonce')))
    const won = await browser.open(`/auth/callback?code=x&state=${fast.searchParams.get('state')}`)
    expect(won.words).toContain('You do not have access')
    release.resolve()
    expect(inWords(await failing)).toEqual(unavailable)
    expect((await browser.open('/profile')).words).toContain('some.body@example.com')
  })

  it('finds the database broken: that is our fault, not the eID’s', async () => {
    await portal.database.pool.query('alter table users rename to gone')
    try {
      const page = await signIn({})
      expect(inWords(page)).toEqual([500, 'Something went wrong on our side', 'Try again'])
    } finally {
      await portal.database.pool.query('alter table gone rename to users')
    }
  })
})

it('a level of assurance that is asked for must be in the ID token', async () => {
  const strict = await startPortalOf(provider.issuer, { env: { OIDC_ACR_VALUES: 'urn:high urn:higher' } })
  const as = async (acr: unknown) => {
    const browser = strict.browser()
    const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
    provider.lie({ claims: { acr } }, String(searchParams.get('nonce')))
    return browser.open(`/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}`)
  }
  for (const acr of [undefined, 'urn:low', 'urn:high urn:higher', ['urn:high']])
    expect(inWords(await as(acr))).toEqual([403, 'A stronger sign-in is needed', 'Start the sign-in again'])
  expect((await as('urn:higher')).url.pathname).toBe('/profile')
  await strict.stop()
})

describe('the log of all this', () => {
  it('names the reasons, and no code, token, secret, state, cookie or e-mail address', () => {
    const log = portal.log()
    for (const reason of ['EidUnavailableError', 'EidAnswerError', 'InternalError', 'ECONNREFUSED'])
      expect(log).toContain(reason)
    expect(log).not.toMatch(
      /access-tok|code-of-the|secret-of-the|eyJ|example\.com|code_verifier|portal=|access_tok/,
    )
  })
})
