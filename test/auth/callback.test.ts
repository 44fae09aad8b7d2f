import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoPeople } from '../../demo/people.ts'
import { createDemoWorld } from '../../demo/world.ts'
import type { Browser } from '../support/browser.ts'
import { mailedCode, startTestPortal, type TestPortal } from '../support/portal.ts'
import { buttonOf, errorPageOf, startTab, throughEid } from '../support/sign-in-steps.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
})
afterAll(async () => test.stop())

const invalidSignIn = ['This sign-in is no longer valid', 'Sign in again'] as const

/** Secrets that were sent or stored during the tests, by kind; the log must contain none of them. */
const secrets: [kind: string, secret: string][] = []

function keepSecret(kind: string, value: unknown): void {
  if (typeof value === 'object') for (const part of Object.values(value ?? {})) keepSecret(kind, part)
  else if (typeof value === 'string' && value.length > 3) secrets.push([kind, value])
}

function keepQuery({ searchParams }: URL): void {
  for (const name of ['code', 'state', 'nonce', 'code_challenge', 'id_token_hint'])
    keepSecret(name, searchParams.get(name))
}

/** Collects IDs, verifiers, nonces and tokens of all sessions, and this browser's cookie. */
async function keepSessions(browser: Browser): Promise<void> {
  const cookie = browser.cookie('portal') ?? ''
  keepSecret('cookie', [
    cookie,
    decodeURIComponent(cookie),
    decodeURIComponent(cookie).slice('s:'.length).split('.', 1),
  ])
  const { rows } = await test.portal.database.pool.query<Record<string, unknown>>(
    `select id, eid_session_id, encrypted_id_token, (data #- '{finishedSignIn,returnTo}') - 'recentOrganisations' as data
     from sessions`,
  )
  for (const row of rows) keepSecret('session', row)
}

/** Signs in as Kari up to the callback, and returns the eID's redirect to it. */
async function signInUpToCallback(): Promise<{ browser: Browser; answer: URL }> {
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

describe('a user who cancels at the eID', () => {
  it('sees why the sign-in ended, and returns to the requested page by starting again', async () => {
    const browser = test.browser()
    const cancelled = await throughEid(browser, await startTab(browser, '/login?returnTo=/profile'), 'Cancel')
    expect(errorPageOf(await browser.open(cancelled.href))).toEqual([400, 'You did not sign in', 'Sign in again'])
    await browser.follow('Sign in again')
    expect((await browser.press('Kari Nordmann')).url.pathname).toBe('/profile')
  })
})

describe('an error response of the eID', () => {
  const unavailable = [503, 'The eID service is not responding'] as const
  const untrusted = [502, 'The eID service gave an answer we cannot trust'] as const
  const wrongSetup = [502, 'Sign-in is not set up correctly'] as const
  it.each([
    ['server_error', ...unavailable],
    ['temporarily_unavailable', ...unavailable],
    ['login_required', ...untrusted],
    ['interaction_required', ...untrusted],
    ['invalid_scope', ...wrongSetup],
    ['unauthorized_client', ...wrongSetup],
    ['invalid_request', ...wrongSetup],
    ['invalid_client', ...wrongSetup],
    ['unsupported_response_type', ...wrongSetup],
    ['request_not_supported', ...wrongSetup],
    ['something_new', ...untrusted],
  ])('%s is shown as %i %s', async (error, status, title) => {
    const browser = test.browser()
    const state = String((await startTab(browser, '/login?returnTo=/profile')).searchParams.get('state'))
    const query = new URLSearchParams({ error, error_description: '<script>', state, iss: test.issuer })
    const page = await browser.open(`/auth/callback?${query.toString()}`)
    expect(errorPageOf(page)).toEqual([status, title, 'Try again'])
    expect(buttonOf(page)).toBe('/login?returnTo=%2Fprofile')
    expect(page.text).not.toContain('<script>')
    expect(test.log()).toContain(`"message":"${error}"`)
  })
})

describe('the same answer twice', () => {
  it('leads to the page where the first one went, in the same session', async () => {
    const { browser, answer } = await signInUpToCallback()
    expect((await browser.open(answer.href)).url.pathname).toBe('/profile')
    const session = browser.cookie('portal')
    expect((await browser.open(answer.href)).url.pathname).toBe('/profile')
    expect(browser.cookie('portal')).toBe(session)
    // Also after the session has got a new id.
    await browser.open('/verify-email')
    await browser.press('Send me a code', { typed: { email: 'kari@nordlys.example' } })
    await browser.press('Verify', { typed: { code: mailedCode(test.inbox) } })
    expect(browser.cookie('portal')).not.toBe(session)
    expect((await browser.open(answer.href)).url.pathname).toBe('/profile')
  })

  it('does not lead there after sign-out, and not in another session', async () => {
    const { browser, answer } = await signInUpToCallback()
    await browser.open(answer.href)
    await browser.press('Sign out', { until: '/session/end' })
    expect(errorPageOf(await browser.open(answer.href))).toEqual([400, ...invalidSignIn])
    const other = await test.signedIn('Kari Nordmann')
    expect(errorPageOf(await other.open(answer.href))).toEqual([400, 'You are already signed in', 'Continue'])
  })
})

describe('a request that is no visit', () => {
  it.each<[string, Record<string, string>]>([
    ['a prefetch', { 'sec-purpose': 'prefetch' }],
    ['a prerender', { 'sec-purpose': 'prefetch;prerender' }],
    ['an old prefetch', { purpose: 'prefetch' }],
    ['a prefetch of Firefox', { 'x-moz': 'prefetch' }],
    ['a preview of Safari', { 'x-purpose': 'preview' }],
    ['a page inside another', { 'sec-fetch-dest': 'iframe', 'sec-fetch-mode': 'navigate' }],
  ])('does not use up the sign-in: %s', async (_what, headers) => {
    const { browser, answer } = await signInUpToCallback()
    expect((await browser.open(answer.href, { headers })).status).toBe(403)
    expect((await browser.open(answer.href)).url.pathname).toBe('/profile')
  })

  it('does not use up the sign-in: HEAD', async () => {
    const { browser, answer } = await signInUpToCallback()
    const cookie = browser.cookies().map(({ name, value }) => `${name}=${value}`)
    expect((await fetch(answer, { method: 'HEAD', headers: { cookie: cookie.join('; ') } })).status).toBe(403)
    expect((await browser.open(answer.href)).url.pathname).toBe('/profile')
  })
})

describe('an answer that arrives in another browser', () => {
  it('is explained, with one button, and still works in the browser that started it', async () => {
    const { browser, answer } = await signInUpToCallback()
    const page = await test.browser().open(answer.href)
    expect(errorPageOf(page)).toEqual([400, ...invalidSignIn])
    expect(page.words).toContain('in another window or browser')
    expect((await browser.open(answer.href)).url.pathname).toBe('/profile')
  })
})

describe('an unsolicited callback', () => {
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
  it.each(queries)('is answered with 400: %.60s', async (query) => {
    // Both with a pending sign-in and without: an unknown state must not match the pending one.
    const waiting = test.browser()
    await startTab(waiting)
    for (const browser of [test.browser(), waiting])
      expect(errorPageOf(await browser.open(`/auth/callback${query}`))).toEqual([400, ...invalidSignIn])
  })

  it('shows the page "already signed in" after sign-in', async () => {
    const { browser, answer } = await signInUpToCallback()
    await browser.open(answer.href)
    for (const path of ['/auth/callback', '/auth/callback?error=access_denied', '/auth/callback?code=x&state=unknown'])
      expect(errorPageOf(await browser.open(path))).toEqual([400, 'You are already signed in', 'Continue'])
  })
})

describe('a tampered authorization response', () => {
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
    ['an invalid error code', set('error', '<script>\u0000')],
  ])('is answered with 400 and creates no session: %s', async (_name, tamper) => {
    const { browser, answer } = await signInUpToCallback()
    tamper(answer)
    const page = await browser.open(answer.href)
    expect(errorPageOf(page)).toEqual([400, ...invalidSignIn])
    expect(buttonOf(page)).toMatch(/^\/login(\?returnTo=%2Fprofile)?$/)
    await signedOut(browser)
  })

  it.each(['response', 'id_token', 'token', 'access_token', 'nonce', 'redirect_uri', 'returnTo'])(
    'has its extra parameter %s ignored',
    async (name) => {
      const { browser, answer } = await signInUpToCallback()
      answer.searchParams.set(name, '//evil.example')
      expect((await browser.open(answer.href)).url.href).toBe(`${test.url}/profile`)
    },
  )
})

// Must run last: it reads the log of the tests above.
describe('the log', () => {
  it('contains the name and reason of every failure', async () => {
    await test.portal.database.pool.query('alter table users rename column issuer to gone')
    const { browser, answer } = await signInUpToCallback()
    expect(errorPageOf(await browser.open(answer.href))[0]).toBe(500)
    await test.portal.database.pool.query('alter table users rename column gone to issuer')
    const names = ['SignInDoneError', 'SignInCancelledError', 'SignInExpiredError', 'InternalError']
    const reasons = ['invalid_grant', 'malformed callback query', 'login_required']
    for (const word of [...names, ...reasons]) expect([word, test.log().includes(word)]).toEqual([word, true])
  })

  it('contains no code, token, state, nonce, verifier, cookie, session ID, secret, path or e-mail address', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    await keepSessions(browser)
    await browser.open('/profile')
    keepQuery((await browser.press('Sign out')).url)
    const log = test.log()
    const kinds = ['code', 'state', 'nonce', 'code_challenge', 'id_token_hint', 'cookie', 'session']
    expect(new Set(secrets.map(([kind]) => kind))).toEqual(new Set(kinds))
    for (const [kind, secret] of secrets) expect([kind, log.includes(secret)]).toEqual([kind, false])
    const people = demoPeople.flatMap(({ email, name, sub }) => [email, name, sub])
    const fixtureMarks = [
      '-of-the-tests',
      'evil.example',
      'xxxx',
      'returnTo',
      '_csrf',
      'code_verifier',
      'portal=',
      'eyJ',
    ]
    for (const word of [...people, ...fixtureMarks]) expect([word, log.includes(word)]).toEqual([word, false])
  })
})
