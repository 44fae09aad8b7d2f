import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoPeople } from '../../demo/people.ts'
import { createDemoWorld } from '../../demo/world.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { buttonOf, inWords, startTab, throughEid } from '../support/sign-in-steps.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
})
afterAll(async () => test.stop())

const invalid = ['This sign-in is no longer valid', 'Start the sign-in again'] as const

/** What went over the wire or into the database and no log may hold, by what it is. */
const secrets: [kind: string, secret: string][] = []

function keep(kind: string, value: unknown): void {
  if (typeof value === 'object') for (const part of Object.values(value ?? {})) keep(kind, part)
  else if (typeof value === 'string' && value.length > 3) secrets.push([kind, value])
}

function keepQuery({ searchParams }: URL): void {
  for (const name of ['code', 'state', 'nonce', 'code_challenge', 'id_token_hint']) keep(name, searchParams.get(name))
}

/** Ids, verifiers, nonces and tokens of all sessions, and this browser's cookie. */
async function keepSessions(browser: Browser): Promise<void> {
  const cookie = browser.cookie('portal') ?? ''
  keep('cookie', [cookie, decodeURIComponent(cookie), decodeURIComponent(cookie).slice('s:'.length).split('.', 1)])
  const { rows } = await test.portal.database.pool.query<Record<string, unknown>>(
    `select id, eid_session_id, encrypted_id_token, data - 'pendingSignIns' as data from sessions`,
  )
  for (const row of rows) keep('session', row)
}

/** A sign-in of Kari's that lacks its last step; and what the eID answered. */
async function almost(): Promise<{ browser: Browser; answer: URL }> {
  const browser = test.browser()
  const at = await startTab(browser, '/login?returnTo=/profile')
  const answer = await throughEid(browser, at, 'Kari Nordmann')
  for (const url of [at, answer]) keepQuery(url)
  await keepSessions(browser)
  return { browser, answer }
}

async function signedOut(browser: Browser): Promise<void> {
  expect((await browser.open('/profile')).words).toContain('Sign in with eID')
}

describe('who says no at the eID', () => {
  it('is told in a friendly way, and can start again to get where they wanted', async () => {
    const browser = test.browser()
    const cancelled = await throughEid(browser, await startTab(browser, '/login?returnTo=/profile'), 'Cancel')
    expect(inWords(await browser.open(cancelled.href))).toEqual([400, 'You did not sign in', 'Start the sign-in again'])
    await browser.follow('Start the sign-in again')
    expect((await browser.press('Kari Nordmann')).url.pathname).toBe('/profile')
  })
})

describe('an error of the eID', () => {
  const unavailable = [503, 'The eID service does not answer'] as const
  const nonsense = [502, 'The eID service gave an answer we cannot trust'] as const
  it.each([
    ['server_error', ...unavailable],
    ['temporarily_unavailable', ...unavailable],
    ['login_required', ...nonsense],
    ['interaction_required', ...nonsense],
    ['invalid_scope', ...nonsense],
    ['unauthorized_client', ...nonsense],
    ['something_new', ...nonsense],
  ])('%s → %i %s', async (error, status, title) => {
    const browser = test.browser()
    const state = String((await startTab(browser, '/login?returnTo=/profile')).searchParams.get('state'))
    const query = new URLSearchParams({ error, error_description: '<script>', state, iss: test.issuer })
    const page = await browser.open(`/auth/callback?${query.toString()}`)
    expect(inWords(page)).toEqual([status, title, 'Try again'])
    expect(buttonOf(page)).toBe('/login?returnTo=%2Fprofile')
    expect(page.text).not.toContain('<script>')
  })
})

describe('a callback that nobody asked for', () => {
  const long = 'x'.repeat(10_000)
  const queries = [
    '',
    '?',
    '?state=',
    '?state=unknown',
    '?code=x',
    '?code=x&state=unknown',
    '?error=access_denied',
    '?error=access_denied&state=unknown',
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'].map((name) => `?code=x&state=${name}`),
    `?code=x&state=${long}`,
    `?error=${long}&state=unknown`,
    '?code=%00&state=%00',
    '?code=%zz&state=%zz',
    '?state[a]=b&code[]=c',
    `?${'a=b&'.repeat(2000)}`,
  ]
  it.each(queries)('%.60s', async (query) => {
    // With a sign-in under way and without: the one must not be mistaken for the other.
    const waiting = test.browser()
    await startTab(waiting)
    for (const browser of [test.browser(), waiting])
      expect(inWords(await browser.open(`/auth/callback${query}`))).toEqual([400, ...invalid])
  })

  it('a second time, by the back button: one is signed in already', async () => {
    const { browser, answer } = await almost()
    await browser.open(answer.href)
    for (const path of [answer.href, '/auth/callback', '/auth/callback?error=access_denied'])
      expect(inWords(await browser.open(path))).toEqual([400, 'You are signed in already', 'Continue'])
  })
})

describe('an answer that was tampered with', () => {
  const set = (name: string, value: string) => (answer: URL) => answer.searchParams.set(name, value)
  it.each<[string, (answer: URL) => unknown]>([
    ['another code', set('code', 'another')],
    ['half a code', (answer) => set('code', String(answer.searchParams.get('code')).slice(0, 20))(answer)],
    ['a code of 10 000 characters', set('code', 'x'.repeat(10_000))],
    ['a code with U+0000', set('code', '\u0000')],
    ['no code', (answer) => answer.searchParams.delete('code')],
    ['an empty code', set('code', '')],
    ['two codes', (answer) => answer.searchParams.append('code', 'x')],
    ['two states', (answer) => answer.searchParams.append('state', 'x')],
    ['the same state twice', (a) => a.searchParams.append('state', String(a.searchParams.get('state')))],
    ['the issuer twice', (answer) => answer.searchParams.append('iss', 'https://evil.example')],
    ['an error of 10 000 characters', set('error', 'x'.repeat(10_000))],
    ['an error that is none', set('error', '<script>\u0000')],
  ])('%s', async (_name, tamper) => {
    const { browser, answer } = await almost()
    tamper(answer)
    const page = await browser.open(answer.href)
    expect(inWords(page)).toEqual([400, ...invalid])
    expect(buttonOf(page)).toMatch(/^\/login(\?returnTo=%2Fprofile)?$/)
    await signedOut(browser)
  })

  it.each(['response', 'id_token', 'token', 'access_token', 'nonce', 'redirect_uri', 'returnTo'])(
    '%s besides: it is not read',
    async (name) => {
      const { browser, answer } = await almost()
      answer.searchParams.set(name, '//evil.example')
      expect((await browser.open(answer.href)).url.href).toBe(`${test.url}/profile`)
    },
  )
})

// Last: it looks at what all the others have left.
describe('the log of all this', () => {
  it('tells every failure by name, with its reason', async () => {
    await test.portal.database.pool.query('alter table users rename column issuer to gone')
    const { browser, answer } = await almost()
    expect(inWords(await browser.open(answer.href))[0]).toBe(500)
    await test.portal.database.pool.query('alter table users rename column gone to issuer')
    const names = ['SignInDoneError', 'SignInCancelledError', 'SignInExpiredError', 'InternalError']
    const reasons = ['invalid_grant', 'malformed answer', 'login_required']
    for (const word of [...names, ...reasons]) expect([word, test.log().includes(word)]).toEqual([word, true])
  })

  it('holds no code, token, state, nonce, verifier, cookie, session id, secret, path or e-mail address', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    await keepSessions(browser)
    await browser.open('/profile')
    keepQuery((await browser.press('Sign out')).url)
    const log = test.log()
    const kinds = ['code', 'state', 'nonce', 'code_challenge', 'id_token_hint', 'cookie', 'session']
    expect(new Set(secrets.map(([kind]) => kind))).toEqual(new Set(kinds))
    for (const [kind, secret] of secrets) expect([kind, log.includes(secret)]).toEqual([kind, false])
    const people = demoPeople.flatMap(({ email, name, sub }) => [email, name, sub])
    const ours = ['-of-the-tests', 'evil.example', 'xxxx', 'returnTo', '_csrf', 'code_verifier', 'portal=', 'eyJ']
    for (const word of [...people, ...ours]) expect([word, log.includes(word)]).toEqual([word, false])
  })
})
