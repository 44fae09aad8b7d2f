import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser, Visit } from '../support/browser.ts'
import {
  answers,
  jwtOf,
  type Lies,
  type LyingProvider,
  newSigner,
  secretSigner,
  type Signer,
  startLyingProvider,
  unsigned,
} from '../support/lying-provider.ts'
import { type PortalOf, startPortalOf } from '../support/portal-of.ts'
import { buttonOf, inWords, startTab } from '../support/sign-in-steps.ts'

/** What the user sees, and what the audit log calls it. */
type Outcome = {
  readonly page: string
  readonly status: number
  readonly title: string
  readonly button: string
}

const unavailable: Outcome = {
  page: 'eidUnavailable',
  status: 503,
  title: 'The eID service does not answer',
  button: 'Try again',
}

const nonsense: Outcome = {
  page: 'eidAnswer',
  status: 502,
  title: 'The eID service gave an answer we cannot trust',
  button: 'Try again',
}

const expired: Outcome = {
  page: 'signInExpired',
  status: 400,
  title: 'This sign-in is no longer valid',
  button: 'Start the sign-in again',
}

const tooWeak: Outcome = {
  page: 'assurance',
  status: 403,
  title: 'A stronger sign-in is needed',
  button: 'Start the sign-in again',
}

const signedIn = 'signed in'

function never() {}
const html = answers(200, '<!doctype html><h1>Welcome</h1>', 'text/html')
/** What was before JSON; error messages of parsers quote the beginning. */
const notJson = answers(200, 'access-token-of-the-tests=x&id_token=eyJ')
const stops = answers(200, '{"access_token":"access-token-of-the-tests","id_tok')
/** More than an answer may have; the rest of it is right. */
const padding = 'x'.repeat(300_000)

function endless(res: ServerResponse) {
  res.writeHead(200, { 'content-type': 'application/json' })
  const more = () => {
    while (!res.destroyed && res.write('x'.repeat(10_000)));
    if (!res.destroyed) res.once('drain', more)
  }
  more()
}

const now = Math.floor(Date.now() / 1000)
const es256 = newSigner('ES256', 'another-key')
const foreign = newSigner('ES256', 'key-of-the-tests')
const rs256 = newSigner('RS256', 'rsa-key')
const ed25519 = newSigner('EdDSA', 'ed-key')
const clientSecret = 'client-secret-of-the-tests'

function halfOfSha256(value: string) {
  return createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url')
}

function error(status: number, code: string) {
  return { answer: { token: answers(status, { error: code }) } }
}

function token(body: object) {
  return { answer: { token: answers(200, { ...body }) } }
}

function claims(values: Readonly<Record<string, unknown>>): Lies {
  return { claims: values }
}

function subject(sub: unknown): Lies {
  return { claims: { sub }, userinfo: { sub } }
}

let provider: LyingProvider
let portal: PortalOf
let strict: PortalOf
let port: number
beforeAll(async () => {
  const gone = await startLyingProvider()
  await gone.stop()
  port = Number(new URL(gone.issuer).port)
  const times = { timeoutMs: 500, refetchKeysMs: 0, restMs: 0 }
  portal = await startPortalOf(gone.issuer, { times })
  strict = await startPortalOf(gone.issuer, {
    times,
    database: portal.database,
    env: { OIDC_ACR_VALUES: 'urn:high urn:higher', OIDC_ID_TOKEN_ALGS: 'RS256, EdDSA' },
  })
})
afterAll(async () => {
  await strict.stop()
  await portal.stop()
  await provider.stop()
})

/** The eID leads back to the portal with a code; then the lies begin. */
async function signIn(lies: Lies, browser: Browser = portal.browser(), query = ''): Promise<Visit> {
  provider.lie({})
  const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
  provider.lie(lies, String(searchParams.get('nonce')))
  return browser.open(`/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}${query}`)
}

async function lastAudit() {
  const { rows } = await portal.database.pool.query<{ event: string; address: string; details: unknown }>(
    // Of so many sign-ins the oldest end.
    "select event, address, details from audit where event <> 'session ended' order by id desc limit 1",
  )
  return rows[0]
}

/** Where somebody is in the end, and what the audit log says of it. */
async function endOf(page: Visit, browser: Browser): Promise<unknown> {
  const audit = await lastAudit()
  const shown = page.url.pathname === '/profile' && page.words.includes('some.body@example.com')
  if (shown && audit?.event === 'sign-in') return signedIn
  const [status, title, button] = inWords(page)
  const nobody = (await browser.open('/profile')).words.includes('Sign in with eID')
  return { status, title, button, again: buttonOf(page), nobody, ...audit }
}

/** The outcome in full: nobody is signed in, the page leads to a new sign-in, and the reason is in the audit log. */
function inFull(outcome: Outcome | typeof signedIn, again = '/login?returnTo=%2Fprofile'): unknown {
  if (outcome === signedIn) return signedIn
  const { page: reason, ...words } = outcome
  return {
    ...words,
    again,
    nobody: true,
    event: 'sign-in refused',
    address: '127.0.0.0/24',
    details: { reason },
  }
}

/** Signs in against these lies. */
async function endsLike(lies: Lies, browser: Browser = portal.browser(), query = ''): Promise<unknown> {
  return endOf(await signIn(lies, browser, query), browser)
}

// In order: what the portal has found out about the provider it keeps.
describe('discovery', () => {
  it('finds nobody: the portal says so, and is there otherwise', async () => {
    const browser = portal.browser()
    expect((await browser.open('/')).status).toBe(200)
    const page = await browser.open('/login?returnTo=/profile')
    expect(await endOf(page, browser)).toEqual(inFull(unavailable, '/login?returnTo=/profile'))
    expect(page.headers['set-cookie']).toBeUndefined()
  })

  const discovery = (answer: NonNullable<Lies['answer']>['discovery'] & {}): Lies => ({
    answer: { discovery: answer },
  })
  it.each<[string, Lies, Outcome]>([
    ['another issuer', { metadata: { issuer: 'https://evil.example' } }, nonsense],
    ['no issuer', { metadata: { issuer: undefined } }, nonsense],
    ['no authorization endpoint', { metadata: { authorization_endpoint: undefined } }, nonsense],
    ['a token endpoint that is no address', { metadata: { token_endpoint: 'token' } }, nonsense],
    ['keys at a file address', { metadata: { jwks_uri: 'file:///etc/passwd' } }, nonsense],
    ['no keys', { metadata: { jwks_uri: undefined } }, nonsense],
    ['a sign-out that is no address', { metadata: { end_session_endpoint: 7 } }, nonsense],
    ['500', discovery(answers(500, {})), unavailable],
    ['503 in HTML', discovery(answers(503, '', 'text/html')), unavailable],
    ['404', discovery(answers(404, {})), nonsense],
    ['HTML', discovery(html), nonsense],
    ['half of JSON', discovery(stops), nonsense],
    ['huge', { metadata: { padding } }, nonsense],
    ['elsewhere', { elsewhere: 'discovery' }, nonsense],
    ['no answer in time', discovery(never), unavailable],
    ['hangs up', discovery((res) => res.destroy()), unavailable],
  ])('%s', async (_name, lies, outcome) => {
    provider ??= await startLyingProvider(port)
    provider.lie(lies)
    const browser = portal.browser()
    expect(await endOf(await browser.open('/login'), browser)).toEqual(inFull(outcome, '/login'))
  })

  it('succeeds as soon as the provider is there', async () => {
    provider.lie({})
    expect((await startTab(portal.browser())).href).toContain(`${provider.issuer}/authorize?`)
  })
})

describe('the ID token', () => {
  it.each<[string, () => Lies, Outcome | typeof signedIn]>([
    ['right', () => ({}), signedIn],
    ['there is none', () => token({ access_token: 'a', token_type: 'Bearer' }), nonsense],
    ['not one', () => ({ tokens: { id_token: 'x.y.z' } }), nonsense],
    ['a number', () => ({ tokens: { id_token: 7 } }), nonsense],
    ['encrypted, for nobody', () => ({ tokens: { id_token: 'a.b.c.d.e' } }), nonsense],
    ['iss: another', () => claims({ iss: 'https://evil.example' }), nonsense],
    ['iss: missing', () => claims({ iss: undefined }), nonsense],
    ['iss: with a slash at the end', () => claims({ iss: `${provider.issuer}/` }), nonsense],
    ['aud: another', () => claims({ aud: 'another' }), nonsense],
    ['aud: missing', () => claims({ aud: undefined }), nonsense],
    ['aud: a list of others', () => claims({ aud: ['another'] }), nonsense],
    ['aud: a list of us', () => claims({ aud: ['portal'] }), signedIn],
    ['azp: missing, of two audiences', () => claims({ aud: ['portal', 'another'] }), nonsense],
    ['azp: another, of two audiences', () => claims({ aud: ['portal', 'b'], azp: 'b' }), nonsense],
    ['azp: us, of two audiences', () => claims({ aud: ['portal', 'b'], azp: 'portal' }), signedIn],
    ['azp: another, of one audience', () => claims({ azp: 'another' }), nonsense],
    ['sub: missing', () => subject(undefined), nonsense],
    ['sub: empty', () => subject(''), nonsense],
    ['sub: a number', () => subject(7), nonsense],
    ['sub: 256 characters', () => subject('x'.repeat(256)), nonsense],
    ['sub: 255 characters', () => subject('x'.repeat(255)), signedIn],
    ['sub: with U+0000', () => subject('a\u0000b'), nonsense],
    ['sub: with a line break', () => subject('a\nb'), nonsense],
    ['sub: not ASCII', () => subject('å'), nonsense],
    ['iat: missing', () => claims({ iat: undefined }), nonsense],
    ['iat: a word', () => claims({ iat: String(now) }), nonsense],
    ['iat: in six minutes', () => claims({ iat: now + 360 }), nonsense],
    ['iat: a day ago', () => claims({ iat: now - 86_400 }), nonsense],
    ['iat: 20 s ahead, as clocks are', () => claims({ iat: Math.floor(Date.now() / 1000) + 20 }), signedIn],
    ['exp: missing', () => claims({ exp: undefined }), nonsense],
    ['exp: past', () => claims({ exp: now - 120 }), nonsense],
    ['nbf: to come', () => claims({ nbf: now + 600 }), nonsense],
    ['nonce: another', () => claims({ nonce: 'another' }), nonsense],
    ['nonce: missing', () => claims({ nonce: undefined }), nonsense],
    ['nonce: empty', () => claims({ nonce: '' }), nonsense],
    ['at_hash: of another token', () => claims({ at_hash: halfOfSha256('another') }), nonsense],
    ['at_hash: a number', () => claims({ at_hash: 7 }), nonsense],
    ['at_hash: right', () => claims({ at_hash: halfOfSha256('access-token-of-the-tests') }), signedIn],
    ['c_hash: of another code', () => claims({ c_hash: halfOfSha256('another') }), nonsense],
    ['c_hash: right', () => claims({ c_hash: halfOfSha256('code-of-the-tests') }), signedIn],
    ['signed by somebody else', () => ({ signer: foreign }), nonsense],
    ['not signed: alg none', () => ({ signer: unsigned }), nonsense],
    ['not signed: no signature', () => ({ signer: { ...provider.own, sign: () => '' } }), nonsense],
    ['alg: HS256 with the client secret', () => ({ signer: secretSigner(clientSecret) }), nonsense],
    ['alg: HS256 with the public key', () => ({ signer: hmacWithPublicKey() }), nonsense],
    ['alg: HS256 with nothing', () => ({ signer: secretSigner('') }), nonsense],
    ['alg: missing', () => ({ header: { alg: undefined } }), nonsense],
    ['alg: another than the signature’s', () => ({ header: { alg: 'RS256' } }), nonsense],
    ['crit: something that nobody knows', () => ({ header: { crit: ['x'], x: 1 } }), nonsense],
    ['kid: unknown', () => ({ header: { kid: 'another' } }), nonsense],
    ['kid: of a key that came a moment ago', () => ({ signer: es256, keys: [provider.own.jwk, es256.jwk] }), signedIn],
    ['RS256', () => ({ signer: rs256, keys: [rs256.jwk] }), signedIn],
    ['EdDSA', () => ({ signer: ed25519, keys: [ed25519.jwk] }), signedIn],
    [
      'Ed25519, its newer name',
      () => ({ signer: ed25519, header: { alg: 'Ed25519' }, keys: [{ ...ed25519.jwk, alg: undefined }] }),
      signedIn,
    ],
  ])('%s', async (_name, lies, outcome) => {
    expect(await endsLike(lies())).toEqual(inFull(outcome))
  })
})

/** OpenID Connect Core 10.1: without a kid there must be no choice. */
describe('an ID token without kid, of a provider with', () => {
  const lacks = (signer: Signer, ...keys: Signer[]): Lies => ({
    signer,
    header: { kid: undefined },
    keys: keys.map(({ jwk }) => jwk),
  })
  it.each<[string, () => Lies, Outcome | typeof signedIn]>([
    ['one key', () => lacks(es256, es256), signedIn],
    ['two keys of a kind', () => lacks(es256, provider.own, es256), nonsense],
    ['two keys of two kinds', () => lacks(rs256, rs256, ed25519), signedIn],
    ['one key, another', () => lacks(foreign, es256), nonsense],
  ])('%s', async (_name, lies, outcome) => {
    // A name that nobody knows makes the portal fetch the keys.
    await signIn({ ...lies(), header: { kid: 'unknown' } })
    expect(await endsLike(lies())).toEqual(inFull(outcome))
  })
})

function hmacWithPublicKey() {
  return secretSigner(JSON.stringify(provider.own.jwk))
}

describe('the keys', () => {
  /** A key that makes the portal look, whatever it knows already; it would find it, with this beside it. */
  const fresh = (more: object = {}): Lies => {
    const signer = newSigner('ES256', `key-${Math.random()}`)
    return { signer, keys: [signer.jwk && { ...signer.jwk, ...more }] }
  }
  const jwks = (answer: NonNullable<NonNullable<Lies['answer']>['jwks']>): Lies => ({
    ...fresh(),
    answer: { jwks: answer },
  })
  it.each<[string, () => Lies, Outcome | typeof signedIn]>([
    ['right', () => fresh({ padding: 'x' }), signedIn],
    ['500', () => jwks(answers(500, {})), unavailable],
    ['404', () => jwks(answers(404, {})), nonsense],
    ['HTML', () => jwks(html), nonsense],
    ['half of JSON', () => jwks(stops), nonsense],
    ['no set', () => jwks(answers(200, { keys: 'none' })), nonsense],
    ['an empty set', () => jwks(answers(200, { keys: [] })), nonsense],
    ['huge', () => ({ ...fresh({ padding }) }), nonsense],
    ['no end', () => jwks(endless), nonsense],
    ['no answer in time', () => jwks(never), unavailable],
    ['hangs up', () => jwks((res) => res.destroy()), unavailable],
    ['elsewhere', () => ({ ...fresh(), elsewhere: 'jwks' }), nonsense],
    [
      'one that is none',
      () => ({ signer: es256, header: { kid: 'odd' }, keys: [{ ...es256.jwk, kid: 'odd', x: '!' }] }),
      nonsense,
    ],
    [
      'one to encrypt with',
      () => ({ signer: es256, header: { kid: 'enc' }, keys: [{ ...es256.jwk, kid: 'enc', use: 'enc' }] }),
      nonsense,
    ],
  ])('%s', async (_name, lies, outcome) => {
    expect(await endsLike(lies())).toEqual(inFull(outcome))
  })

  it('are fetched again for one that is new, and not for every one that there is not', async () => {
    const patient = await startPortalOf(provider.issuer, {
      database: portal.database,
      times: { refetchKeysMs: 3000 },
    })
    expect((await signIn({}, patient.browser())).status).toBe(200)
    const before = provider.calls('jwks')
    for (const kid of ['a', 'b', 'c', 'd'])
      expect((await signIn({ header: { kid } }, patient.browser())).status).toBe(502)
    expect(provider.calls('jwks') - before).toBeLessThanOrEqual(1)
    // A key that was put there meanwhile works without a restart, long before 60 s have gone by.
    await setTimeout(3000)
    const rotated: Lies = { signer: es256, keys: [es256.jwk] }
    expect((await signIn(rotated, patient.browser())).url.pathname).toBe('/profile')
    // Neither is a provider in trouble asked again and again.
    await setTimeout(3000)
    const trouble = provider.calls('jwks')
    const down: Lies = { header: { kid: 'e' }, answer: { jwks: answers(500, {}) } }
    for (let i = 0; i < 4; i += 1) expect((await signIn(down, patient.browser())).status).toBe(503)
    expect(provider.calls('jwks') - trouble).toBeLessThanOrEqual(2)
    await patient.stop()
  })
})

describe('the token endpoint', () => {
  it.each<[string, Lies, Outcome | typeof signedIn]>([
    ['500', { answer: { token: answers(500, {}) } }, unavailable],
    ['500 in HTML', { answer: { token: answers(500, '<h1>Oops</h1>', 'text/html') } }, unavailable],
    ['503 with an error', error(503, 'temporarily_unavailable'), unavailable],
    ['429', error(429, 'slow_down'), unavailable],
    ['HTML', { answer: { token: html } }, nonsense],
    ['half of JSON', { answer: { token: stops } }, nonsense],
    ['no JSON', { answer: { token: notJson } }, nonsense],
    ['a list', { answer: { token: answers(200, '[]') } }, nonsense],
    ['huge', { tokens: { padding } }, nonsense],
    ['no end', { answer: { token: endless } }, nonsense],
    ['elsewhere', { elsewhere: 'token' }, nonsense],
    ['no answer in time', { answer: { token: never } }, unavailable],
    [
      'only half an answer in time',
      { answer: { token: (res) => res.writeHead(200, { 'content-type': 'application/json' }).write('{') } },
      unavailable,
    ],
    ['hangs up', { answer: { token: (res) => res.destroy() } }, unavailable],
    ['our keys are refused', error(401, 'invalid_client'), nonsense],
    [
      'our keys are refused by a challenge',
      { answer: { token: (res) => res.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end() } },
      nonsense,
    ],
    ['the code has been used', error(400, 'invalid_grant'), expired],
    ['no access token', { tokens: { access_token: undefined } }, nonsense],
    ['tokens of another type', { tokens: { token_type: 'mac' } }, nonsense],
  ])('%s', async (_name, lies, outcome) => {
    expect(await endsLike(lies)).toEqual(inFull(outcome))
  })
})

// Nobody is signed in by half: an empty name and address would replace what was known before.
describe('userinfo', () => {
  const jwt = (signer: Signer, more: object = {}): Lies => ({
    answer: {
      userinfo: (res) => {
        const body = { sub: 'somebody', name: 'Some Body', email: 'some.body@example.com', ...more }
        answers(200, jwtOf(signer, body), 'application/jwt')(res)
      },
    },
    keys: [provider.own.jwk],
  })
  it.each<[string, () => Lies, Outcome | typeof signedIn]>([
    ['somebody else', () => ({ userinfo: { sub: 'another' } }), nonsense],
    ['nobody', () => ({ userinfo: { sub: undefined } }), nonsense],
    ['500', () => ({ answer: { userinfo: answers(500, {}) } }), unavailable],
    ['refused', () => ({ answer: { userinfo: answers(401, {}) } }), nonsense],
    ['HTML', () => ({ answer: { userinfo: html } }), nonsense],
    ['a list', () => ({ answer: { userinfo: answers(200, '[]') } }), nonsense],
    ['huge', () => ({ userinfo: { padding } }), nonsense],
    ['no answer in time', () => ({ answer: { userinfo: never } }), unavailable],
    ['hangs up', () => ({ answer: { userinfo: (res) => res.destroy() } }), unavailable],
    ['elsewhere', () => ({ elsewhere: 'userinfo' }), nonsense],
    ['signed', () => jwt(provider.own), signedIn],
    ['signed, for us', () => jwt(provider.own, { iss: provider.issuer, aud: 'portal' }), signedIn],
    ['signed, for another', () => jwt(provider.own, { iss: provider.issuer, aud: 'another' }), nonsense],
    ['signed by somebody else', () => jwt(foreign), nonsense],
    ['signed by nobody', () => jwt(unsigned), nonsense],
    ['signed with our secret', () => jwt(secretSigner(clientSecret)), nonsense],
    ['signed, of somebody else', () => jwt(provider.own, { sub: 'another' }), nonsense],
  ])('%s', async (_name, lies, outcome) => {
    expect(await endsLike(lies())).toEqual(inFull(outcome))
  })

  it('is on the page without control characters', async () => {
    const page = await signIn({ userinfo: { name: 'Ma\u0000ry\nAnn  ' } })
    expect(page.words).toContain('Ma ry Ann')
  })
})

describe('a level of assurance that is asked for', () => {
  const as = (acr: unknown): Lies => ({ signer: rs256, keys: [rs256.jwk], claims: { acr } })
  it.each<[string, () => Lies, Outcome | typeof signedIn]>([
    ['missing', () => as(undefined), tooWeak],
    ['lower', () => as('urn:low'), tooWeak],
    ['empty', () => as(''), tooWeak],
    ['both in one', () => as('urn:high urn:higher'), tooWeak],
    ['a list', () => as(['urn:high']), tooWeak],
    ['one of them', () => as('urn:higher'), signedIn],
    ['right, but signed in a way that is not allowed', () => ({ claims: { acr: 'urn:high' } }), nonsense],
  ])('%s', async (_name, lies, outcome) => {
    expect(await endsLike(lies(), strict.browser())).toEqual(inFull(outcome))
  })

  it('cannot be had, says the provider', async () => {
    const browser = strict.browser()
    const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
    const answer = `error=unmet_authentication_requirements&state=${searchParams.get('state')}`
    const page = await browser.open(`/auth/callback?${answer}`)
    expect(await endOf(page, browser)).toEqual(inFull(tooWeak))
  })
})

describe('the answer that the browser brings', () => {
  const iss = (value: string) => `&iss=${encodeURIComponent(value)}`
  it.each<[string, () => string, Outcome | typeof signedIn, string?]>([
    ['iss: ours', () => iss(provider.issuer), signedIn],
    ['iss: another, mixed up', () => iss('https://evil.example'), expired],
    ['iss: missing, where it was never promised', () => '', signedIn],
    ['iss: twice', () => iss(provider.issuer).repeat(2), expired, '/login'],
  ])('%s', async (_name, query, outcome, again) => {
    expect(await endsLike({}, portal.browser(), query())).toEqual(inFull(outcome, again))
  })

  it('iss: missing, where it was promised (RFC 9207)', async () => {
    provider.lie({ metadata: { authorization_response_iss_parameter_supported: true } })
    const promised = await startPortalOf(provider.issuer, { database: portal.database })
    await promised.browser().open('/login', { follow: false })
    const browser = promised.browser()
    const page = await signIn({}, browser)
    expect(await endOf(page, browser)).toEqual(inFull(expired))
    const right = await signIn({}, promised.browser(), `&iss=${encodeURIComponent(provider.issuer)}`)
    expect(right.url.pathname).toBe('/profile')
    await promised.stop()
  })

  it('in another browser; it still counts in the right one', async () => {
    const [browser, other] = [portal.browser(), portal.browser()]
    const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
    await startTab(other)
    provider.lie({}, String(searchParams.get('nonce')))
    const callback = `/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}`
    const asked = provider.calls('token')
    for (const wrong of [other, portal.browser()])
      expect(await endOf(await wrong.open(callback), wrong)).toEqual(inFull(expired, '/login'))
    expect(provider.calls('token')).toBe(asked)
    expect((await browser.open(callback)).url.pathname).toBe('/profile')
  })

  it('a second time: the code goes to the provider once, whether it worked or not', async () => {
    for (const [lies, status, title] of [
      [error(400, 'invalid_grant'), 400, expired.title],
      [{}, 400, 'You are signed in already'],
    ] as const) {
      const browser = portal.browser()
      const { searchParams } = await startTab(browser)
      provider.lie(lies, String(searchParams.get('nonce')))
      const callback = `/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}`
      const asked = provider.calls('token')
      await browser.open(callback)
      expect(inWords(await browser.open(callback)).slice(0, 2)).toEqual([status, title])
      expect(provider.calls('token') - asked).toBe(1)
    }
  })
})

describe('what is known of the provider', () => {
  const elsewhere: Lies = { metadata: { authorization_endpoint: 'http://127.0.0.1:1/elsewhere' } }
  const leadsTo = async (browser: Browser): Promise<string> => (await startTab(browser)).pathname

  it('is read again when it is old, and stays while the provider is down', async () => {
    provider.lie({})
    const hasty = await startPortalOf(provider.issuer, {
      database: portal.database,
      times: { refreshMs: 0, restMs: 0 },
    })
    const browser = hasty.browser()
    expect(await leadsTo(browser)).toBe('/authorize')
    const before = provider.calls('discovery')
    provider.lie({ answer: { discovery: answers(500, {}) } })
    for (let i = 0; i < 3; i += 1) expect(await leadsTo(browser)).toBe('/authorize')
    expect(provider.calls('discovery')).toBeGreaterThan(before)
    provider.lie({ metadata: { issuer: 'https://evil.example' } })
    for (let i = 0; i < 3; i += 1) expect(await leadsTo(browser)).toBe('/authorize')
    provider.lie(elsewhere)
    await expect.poll(async () => leadsTo(browser)).toBe('/elsewhere')
    await hasty.stop()
  })

  it('is read again after something went wrong there, but not sooner than it should', async () => {
    provider.lie({})
    const calm = await startPortalOf(provider.issuer, {
      database: portal.database,
      times: { restMs: 3000 },
    })
    await signIn({}, calm.browser())
    const before = provider.calls('discovery')
    await signIn(error(404, 'moved'), calm.browser())
    provider.lie(elsewhere)
    expect(await leadsTo(calm.browser())).toBe('/authorize')
    expect(provider.calls('discovery')).toBe(before)
    await expect.poll(async () => leadsTo(calm.browser()), { timeout: 20_000, interval: 200 }).toBe('/elsewhere')
    expect(provider.calls('discovery')).toBe(before + 1)
    await calm.stop()
  })
})

describe('the log of all this', () => {
  it('names the reasons, and no code, token, secret, state, cookie or e-mail address', () => {
    const log = portal.log()
    for (const reason of ['EidUnavailableError', 'EidAnswerError', 'SignInExpiredError', 'ECONNREFUSED'])
      expect(log).toContain(reason)
    expect(log.includes('InternalError')).toBe(false)
    const secrets =
      /.{0,80}(access-tok|code-of-the|secret-of-the|eyJ|example\.com|code_verifier|portal=|\{\\*"access_t|xxxx).{0,40}/g
    expect((log + strict.log()).match(secrets)).toBeNull()
  })
})
