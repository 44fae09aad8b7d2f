import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { linesOf } from '../support/page-content.ts'
import type { Browser, Visit } from '../support/browser.ts'
import {
  answers,
  jwtOf,
  type ProviderFaults,
  type FaultyProvider,
  newSigner,
  secretSigner,
  type Signer,
  startFaultyProvider,
  unsigned,
} from '../support/faulty-provider.ts'
import { type PortalOf, startPortalOf } from '../support/portal-of.ts'
import { buttonOf, errorPageOf, startTab } from '../support/sign-in-steps.ts'

/** What the user sees, and the reason in the audit log. */
type Outcome = {
  readonly page: string
  readonly status: number
  readonly title: string
  readonly button: string
}

const unavailable: Outcome = {
  page: 'eidUnavailable',
  status: 503,
  title: 'The eID service is not responding',
  button: 'Try again',
}

const untrusted: Outcome = {
  page: 'eidAnswer',
  status: 502,
  title: 'The eID service gave an answer we cannot trust',
  button: 'Try again',
}

const wrongSetup: Outcome = {
  page: 'eidSetup',
  status: 502,
  title: 'Sign-in is not set up correctly',
  button: 'Try again',
}

const expired: Outcome = {
  page: 'signInExpired',
  status: 400,
  title: 'This sign-in is no longer valid',
  button: 'Sign in again',
}

const tooWeak: Outcome = {
  page: 'assurance',
  status: 403,
  title: 'A stronger sign-in is needed',
  button: 'Sign in again',
}

const signedIn = 'signed in'

function hangs() {}
const html = answers(200, '<!doctype html><h1>Welcome</h1>', 'text/html')
/** Not JSON: error messages of JSON parsers quote the beginning, which here is a secret. */
const notJson = answers(200, 'access-token-of-the-tests=x&id_token=eyJ')
const truncatedJson = answers(200, '{"access_token":"access-token-of-the-tests","id_tok')
/** Makes an otherwise valid response larger than the limit. */
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

function claims(values: Readonly<Record<string, unknown>>): ProviderFaults {
  return { claims: values }
}

function subject(sub: unknown): ProviderFaults {
  return { claims: { sub }, userinfo: { sub } }
}

let provider: FaultyProvider
let portal: PortalOf
let strict: PortalOf
let port: number
beforeAll(async () => {
  const unavailableProvider = await startFaultyProvider()
  await unavailableProvider.stop()
  port = Number(new URL(unavailableProvider.issuer).port)
  const times = { timeoutMs: 500, refetchKeysMs: 0, restMs: 0 }
  portal = await startPortalOf(unavailableProvider.issuer, { times })
  strict = await startPortalOf(unavailableProvider.issuer, {
    times,
    database: portal.database,
    env: { OIDC_REQUIRED_ACR: 'urn:high urn:higher', OIDC_ID_TOKEN_ALGS: 'RS256, EdDSA' },
  })
})
afterAll(async () => {
  await strict.stop()
  await portal.stop()
  await provider.stop()
})

/** Signs in up to the callback against a correct eID, then opens the callback against a faulty one. */
async function signIn(faults: ProviderFaults, browser: Browser = portal.browser(), query = ''): Promise<Visit> {
  provider.setFaults({})
  const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
  provider.setFaults(faults, String(searchParams.get('nonce')))
  return browser.open(`/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}${query}`)
}

/** The last audit entry in the log, where also those of strangers are; none of them is in the table. */
async function lastAudit() {
  const lines = [...linesOf(portal.log()), ...linesOf(strict.log())].toSorted((a, b) =>
    String(a['time']) < String(b['time']) ? -1 : 1,
  )
  const entries = lines.flatMap(({ audit }) => (audit ? [audit as Record<string, string>] : []))
  // The limit of sessions per user ends the oldest, which is audited too.
  const { event, address, userId, ...details } = entries.findLast((entry) => entry['event'] !== 'session ended') ?? {}
  const stored = await portal.database.pool.query(`select from audit where user_id is null`)
  expect([userId === undefined, stored.rows]).toEqual([event !== 'sign-in', []])
  return event === undefined ? undefined : { event, address, details }
}

/** The page the user ends up on, and the last audit entry. */
async function outcomeOf(page: Visit, browser: Browser): Promise<unknown> {
  const audit = await lastAudit()
  const shown = page.url.pathname === '/profile' && page.words.includes('some.body@example.com')
  if (shown && audit?.event === 'sign-in') return signedIn
  const [status, title, button] = errorPageOf(page)
  const signedOut = (await browser.open('/profile')).words.includes('Sign in with eID')
  return { status, title, button, again: buttonOf(page), signedOut, ...audit }
}

/** The whole expected outcome: signed out, a page that links to a new sign-in, and the reason in the audit log. */
function expectedOutcome(outcome: Outcome | typeof signedIn, again = '/login?returnTo=%2Fprofile'): unknown {
  if (outcome === signedIn) return signedIn
  const { page: reason, ...words } = outcome
  return {
    ...words,
    again,
    signedOut: true,
    event: 'sign-in refused',
    address: '127.0.0.0/24',
    details: { reason },
  }
}

/** Signs in against a provider with these faults and returns the outcome. */
async function outcomeWith(faults: ProviderFaults, browser: Browser = portal.browser(), query = ''): Promise<unknown> {
  return outcomeOf(await signIn(faults, browser, query), browser)
}

// Must run first: the portal caches the provider's metadata.
describe('discovery', () => {
  it('shows the 503 page while the provider is down; other pages work', async () => {
    const browser = portal.browser()
    expect((await browser.open('/')).status).toBe(200)
    const page = await browser.open('/login?returnTo=/profile')
    expect(await outcomeOf(page, browser)).toEqual(expectedOutcome(unavailable, '/login?returnTo=/profile'))
    expect(page.headers['set-cookie']).toBeUndefined()
  })

  const discovery = (answer: NonNullable<ProviderFaults['answer']>['discovery'] & {}): ProviderFaults => ({
    answer: { discovery: answer },
  })
  it.each<[string, ProviderFaults, Outcome]>([
    ['another issuer', { metadata: { issuer: 'https://evil.example' } }, untrusted],
    ['no issuer', { metadata: { issuer: undefined } }, untrusted],
    ['no authorization endpoint', { metadata: { authorization_endpoint: undefined } }, untrusted],
    ['a token endpoint that is not a URL', { metadata: { token_endpoint: 'token' } }, untrusted],
    ['keys at a file URL', { metadata: { jwks_uri: 'file:///etc/passwd' } }, untrusted],
    ['no keys', { metadata: { jwks_uri: undefined } }, untrusted],
    ['an end session endpoint that is not a URL', { metadata: { end_session_endpoint: 7 } }, untrusted],
    ['500', discovery(answers(500, {})), unavailable],
    ['503 in HTML', discovery(answers(503, '', 'text/html')), unavailable],
    ['404', discovery(answers(404, {})), untrusted],
    ['HTML', discovery(html), untrusted],
    ['truncated JSON', discovery(truncatedJson), untrusted],
    ['too large', { metadata: { padding } }, untrusted],
    ['a redirect', { redirect: 'discovery' }, untrusted],
    ['a timeout', discovery(hangs), unavailable],
    ['a closed connection', discovery((res) => res.destroy()), unavailable],
  ])('shows an error page when the metadata is invalid or unavailable: %s', async (_name, faults, outcome) => {
    provider ??= await startFaultyProvider(port)
    provider.setFaults(faults)
    const browser = portal.browser()
    expect(await outcomeOf(await browser.open('/login'), browser)).toEqual(expectedOutcome(outcome, '/login'))
  })

  it('succeeds as soon as the provider is available', async () => {
    provider.setFaults({})
    expect((await startTab(portal.browser())).href).toContain(`${provider.issuer}/authorize?`)
  })
})

describe('the ID token', () => {
  it.each<[string, () => ProviderFaults, Outcome | typeof signedIn]>([
    ['valid', () => ({}), signedIn],
    ['missing', () => token({ access_token: 'a', token_type: 'Bearer' }), untrusted],
    ['not a JWT', () => ({ tokens: { id_token: 'x.y.z' } }), untrusted],
    ['a number', () => ({ tokens: { id_token: 7 } }), untrusted],
    ['encrypted for an unknown key', () => ({ tokens: { id_token: 'a.b.c.d.e' } }), untrusted],
    ['iss: another', () => claims({ iss: 'https://evil.example' }), untrusted],
    ['iss: missing', () => claims({ iss: undefined }), untrusted],
    ['iss: with a slash at the end', () => claims({ iss: `${provider.issuer}/` }), untrusted],
    ['aud: another', () => claims({ aud: 'another' }), untrusted],
    ['aud: missing', () => claims({ aud: undefined }), untrusted],
    ['aud: an array of others', () => claims({ aud: ['another'] }), untrusted],
    ['aud: an array of the portal', () => claims({ aud: ['portal'] }), signedIn],
    ['azp: missing, of two audiences', () => claims({ aud: ['portal', 'another'] }), untrusted],
    ['azp: another, of two audiences', () => claims({ aud: ['portal', 'b'], azp: 'b' }), untrusted],
    ['azp: the portal, of two audiences', () => claims({ aud: ['portal', 'b'], azp: 'portal' }), signedIn],
    ['azp: another, of one audience', () => claims({ azp: 'another' }), untrusted],
    ['sub: missing', () => subject(undefined), untrusted],
    ['sub: empty', () => subject(''), untrusted],
    ['sub: a number', () => subject(7), untrusted],
    ['sub: 256 characters', () => subject('x'.repeat(256)), untrusted],
    ['sub: 255 characters', () => subject('x'.repeat(255)), signedIn],
    ['sub: with U+0000', () => subject('a\u0000b'), untrusted],
    ['sub: with a line break', () => subject('a\nb'), untrusted],
    ['sub: not ASCII', () => subject('å'), untrusted],
    ['iat: missing', () => claims({ iat: undefined }), untrusted],
    ['iat: a string', () => claims({ iat: String(now) }), untrusted],
    ['iat: in six minutes', () => claims({ iat: now + 360 }), untrusted],
    ['iat: a day ago', () => claims({ iat: now - 86_400 }), untrusted],
    [
      'iat: 20 s ahead, within the clock tolerance',
      () => claims({ iat: Math.floor(Date.now() / 1000) + 20 }),
      signedIn,
    ],
    ['exp: missing', () => claims({ exp: undefined }), untrusted],
    ['exp: in the past', () => claims({ exp: now - 120 }), untrusted],
    ['nbf: in the future', () => claims({ nbf: now + 600 }), untrusted],
    ['nonce: another', () => claims({ nonce: 'another' }), untrusted],
    ['nonce: missing', () => claims({ nonce: undefined }), untrusted],
    ['nonce: empty', () => claims({ nonce: '' }), untrusted],
    ['at_hash: of another token', () => claims({ at_hash: halfOfSha256('another') }), untrusted],
    ['at_hash: a number', () => claims({ at_hash: 7 }), untrusted],
    ['at_hash: valid', () => claims({ at_hash: halfOfSha256('access-token-of-the-tests') }), signedIn],
    ['c_hash: of another code', () => claims({ c_hash: halfOfSha256('another') }), untrusted],
    ['c_hash: valid', () => claims({ c_hash: halfOfSha256('code-of-the-tests') }), signedIn],
    ['signed with a foreign key', () => ({ signer: foreign }), untrusted],
    ['not signed: alg none', () => ({ signer: unsigned }), untrusted],
    ['not signed: no signature', () => ({ signer: { ...provider.own, sign: () => '' } }), untrusted],
    ['alg: HS256 with the client secret', () => ({ signer: secretSigner(clientSecret) }), untrusted],
    ['alg: HS256 with the public key', () => ({ signer: hmacWithPublicKey() }), untrusted],
    ['alg: HS256 with an empty secret', () => ({ signer: secretSigner('') }), untrusted],
    ['alg: missing', () => ({ header: { alg: undefined } }), untrusted],
    ['alg: different from the signature’s', () => ({ header: { alg: 'RS256' } }), untrusted],
    ['crit: an unknown header', () => ({ header: { crit: ['x'], x: 1 } }), untrusted],
    ['kid: unknown', () => ({ header: { kid: 'another' } }), untrusted],
    ['kid: of a key that was just added', () => ({ signer: es256, keys: [provider.own.jwk, es256.jwk] }), signedIn],
    ['RS256', () => ({ signer: rs256, keys: [rs256.jwk] }), signedIn],
    ['EdDSA', () => ({ signer: ed25519, keys: [ed25519.jwk] }), signedIn],
    [
      'Ed25519, the newer name of EdDSA',
      () => ({ signer: ed25519, header: { alg: 'Ed25519' }, keys: [{ ...ed25519.jwk, alg: undefined }] }),
      signedIn,
    ],
  ])('is accepted only when it is valid: %s', async (_name, faults, outcome) => {
    expect(await outcomeWith(faults())).toEqual(expectedOutcome(outcome))
  })
})

/** OpenID Connect Core 10.1: without a kid only one key may match. */
describe('an ID token without a kid', () => {
  const withoutKid = (signer: Signer, ...keys: Signer[]): ProviderFaults => ({
    signer,
    header: { kid: undefined },
    keys: keys.map(({ jwk }) => jwk),
  })
  it.each<[string, () => ProviderFaults, Outcome | typeof signedIn]>([
    ['one matching key', () => withoutKid(es256, es256), signedIn],
    ['two keys of one type', () => withoutKid(es256, provider.own, es256), untrusted],
    ['two keys of two types', () => withoutKid(rs256, rs256, ed25519), signedIn],
    ['one other key', () => withoutKid(foreign, es256), untrusted],
  ])('is accepted only when one key matches: %s', async (_name, faults, outcome) => {
    // An unknown kid makes the portal fetch the keys.
    await signIn({ ...faults(), header: { kid: 'unknown' } })
    expect(await outcomeWith(faults())).toEqual(expectedOutcome(outcome))
  })
})

function hmacWithPublicKey() {
  return secretSigner(JSON.stringify(provider.own.jwk))
}

describe('the JWK set of the provider', () => {
  /** Signs with a new key, so the portal fetches the set; `more` is added to the key's entry. */
  const fresh = (more: object = {}): ProviderFaults => {
    const signer = newSigner('ES256', `key-${Math.random()}`)
    return { signer, keys: [signer.jwk && { ...signer.jwk, ...more }] }
  }
  const jwks = (answer: NonNullable<NonNullable<ProviderFaults['answer']>['jwks']>): ProviderFaults => ({
    ...fresh(),
    answer: { jwks: answer },
  })
  it.each<[string, () => ProviderFaults, Outcome | typeof signedIn]>([
    ['valid', () => fresh({ padding: 'x' }), signedIn],
    ['500', () => jwks(answers(500, {})), unavailable],
    ['404', () => jwks(answers(404, {})), untrusted],
    ['HTML', () => jwks(html), untrusted],
    ['truncated JSON', () => jwks(truncatedJson), untrusted],
    ['keys that are not an array', () => jwks(answers(200, { keys: 'none' })), untrusted],
    ['an empty set', () => jwks(answers(200, { keys: [] })), untrusted],
    ['too large', () => ({ ...fresh({ padding }) }), untrusted],
    ['endless', () => jwks(endless), untrusted],
    ['a timeout', () => jwks(hangs), unavailable],
    ['a closed connection', () => jwks((res) => res.destroy()), unavailable],
    ['a redirect', () => ({ ...fresh(), redirect: 'jwks' }), untrusted],
    [
      'an invalid key',
      () => ({ signer: es256, header: { kid: 'odd' }, keys: [{ ...es256.jwk, kid: 'odd', x: '!' }] }),
      untrusted,
    ],
    [
      'a key for encryption',
      () => ({ signer: es256, header: { kid: 'enc' }, keys: [{ ...es256.jwk, kid: 'enc', use: 'enc' }] }),
      untrusted,
    ],
  ])('must be valid and available: %s', async (_name, faults, outcome) => {
    expect(await outcomeWith(faults())).toEqual(expectedOutcome(outcome))
  })

  it('is fetched again for a new kid, but not for every unknown kid', async () => {
    const patient = await startPortalOf(provider.issuer, {
      database: portal.database,
      times: { refetchKeysMs: 3000 },
    })
    expect((await signIn({}, patient.browser())).status).toBe(200)
    const before = provider.calls('jwks')
    for (const kid of ['a', 'b', 'c', 'd'])
      expect((await signIn({ header: { kid } }, patient.browser())).status).toBe(502)
    expect(provider.calls('jwks') - before).toBeLessThanOrEqual(1)
    // A key that the provider added meanwhile works without a restart.
    const rotated: ProviderFaults = { signer: es256, keys: [es256.jwk] }
    await expect
      .poll(async () => (await signIn(rotated, patient.browser())).url.pathname, { timeout: 20_000 })
      .toBe('/profile')
    // A failing provider is not asked for every sign-in either.
    const down: ProviderFaults = { header: { kid: 'e' }, answer: { jwks: answers(500, {}) } }
    await expect.poll(async () => (await signIn(down, patient.browser())).status, { timeout: 20_000 }).toBe(503)
    const callsBefore = provider.calls('jwks')
    for (let i = 0; i < 4; i += 1) expect((await signIn(down, patient.browser())).status).toBe(503)
    expect(provider.calls('jwks') - callsBefore).toBeLessThanOrEqual(2)
    await patient.stop()
  })
})

describe('the token response', () => {
  it.each<[string, ProviderFaults, Outcome | typeof signedIn]>([
    ['500', { answer: { token: answers(500, {}) } }, unavailable],
    ['500 in HTML', { answer: { token: answers(500, '<h1>Oops</h1>', 'text/html') } }, unavailable],
    ['503 with an error', error(503, 'temporarily_unavailable'), unavailable],
    ['429', error(429, 'slow_down'), unavailable],
    ['HTML', { answer: { token: html } }, untrusted],
    ['truncated JSON', { answer: { token: truncatedJson } }, untrusted],
    ['not JSON', { answer: { token: notJson } }, untrusted],
    ['an array', { answer: { token: answers(200, '[]') } }, untrusted],
    ['too large', { tokens: { padding } }, untrusted],
    ['endless', { answer: { token: endless } }, untrusted],
    ['a redirect', { redirect: 'token' }, untrusted],
    ['a timeout', { answer: { token: hangs } }, unavailable],
    [
      'a timeout in the body',
      { answer: { token: (res) => res.writeHead(200, { 'content-type': 'application/json' }).write('{') } },
      unavailable,
    ],
    ['a closed connection', { answer: { token: (res) => res.destroy() } }, unavailable],
    ['client authentication refused', error(401, 'invalid_client'), wrongSetup],
    ['a scope refused', error(400, 'invalid_scope'), wrongSetup],
    ['a client refused', error(400, 'unauthorized_client'), wrongSetup],
    ['an unknown error', error(400, 'something_new'), untrusted],
    [
      'client authentication refused with a challenge',
      { answer: { token: (res) => res.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end() } },
      wrongSetup,
    ],
    ['an expired code', error(400, 'invalid_grant'), expired],
    ['no access token', { tokens: { access_token: undefined } }, untrusted],
    ['tokens of another type', { tokens: { token_type: 'mac' } }, untrusted],
  ])('is accepted, or refused with the matching page: %s', async (_name, faults, outcome) => {
    expect(await outcomeWith(faults)).toEqual(expectedOutcome(outcome))
  })
})

// A failed userinfo request must fail the sign-in: an empty name and address would replace the stored ones.
describe('userinfo', () => {
  const jwt = (signer: Signer, more: object = {}): ProviderFaults => ({
    answer: {
      userinfo: (res) => {
        const body = { sub: 'some-user', name: 'Some Body', email: 'some.body@example.com', ...more }
        answers(200, jwtOf(signer, body), 'application/jwt')(res)
      },
    },
    keys: [provider.own.jwk],
  })
  it.each<[string, () => ProviderFaults, Outcome | typeof signedIn]>([
    ['another sub', () => ({ userinfo: { sub: 'another' } }), untrusted],
    ['no sub', () => ({ userinfo: { sub: undefined } }), untrusted],
    ['500', () => ({ answer: { userinfo: answers(500, {}) } }), unavailable],
    ['401', () => ({ answer: { userinfo: answers(401, {}) } }), untrusted],
    ['HTML', () => ({ answer: { userinfo: html } }), untrusted],
    ['an array', () => ({ answer: { userinfo: answers(200, '[]') } }), untrusted],
    ['too large', () => ({ userinfo: { padding } }), untrusted],
    ['a timeout', () => ({ answer: { userinfo: hangs } }), unavailable],
    ['a closed connection', () => ({ answer: { userinfo: (res) => res.destroy() } }), unavailable],
    ['a redirect', () => ({ redirect: 'userinfo' }), untrusted],
    ['signed', () => jwt(provider.own), signedIn],
    ['signed, for the portal', () => jwt(provider.own, { iss: provider.issuer, aud: 'portal' }), signedIn],
    ['signed, for another', () => jwt(provider.own, { iss: provider.issuer, aud: 'another' }), untrusted],
    ['signed with a foreign key', () => jwt(foreign), untrusted],
    ['unsigned, alg none', () => jwt(unsigned), untrusted],
    ['signed with the client secret', () => jwt(secretSigner(clientSecret)), untrusted],
    ['signed, with another sub', () => jwt(provider.own, { sub: 'another' }), untrusted],
  ])('must be valid and available: %s', async (_name, faults, outcome) => {
    expect(await outcomeWith(faults())).toEqual(expectedOutcome(outcome))
  })

  it('is shown without control characters', async () => {
    const page = await signIn({ userinfo: { name: 'Ma\u0000ry\nAnn  ' } })
    expect(page.words).toContain('Ma ry Ann')
  })
})

describe('a required level of assurance', () => {
  const as = (acr: unknown): ProviderFaults => ({ signer: rs256, keys: [rs256.jwk], claims: { acr } })
  it.each<[string, () => ProviderFaults, Outcome | typeof signedIn]>([
    ['missing', () => as(undefined), tooWeak],
    ['lower', () => as('urn:low'), tooWeak],
    ['empty', () => as(''), tooWeak],
    ['both values in one string', () => as('urn:high urn:higher'), tooWeak],
    ['an array', () => as(['urn:high']), tooWeak],
    ['one of the required', () => as('urn:higher'), signedIn],
    [
      'one of the required, with a signing algorithm that is not allowed',
      () => ({ claims: { acr: 'urn:high' } }),
      untrusted,
    ],
  ])('must be in the ID token: %s', async (_name, faults, outcome) => {
    expect(await outcomeWith(faults(), strict.browser())).toEqual(expectedOutcome(outcome))
  })

  it('shows the 403 page when the provider cannot meet it', async () => {
    const browser = strict.browser()
    const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
    const answer = `error=unmet_authentication_requirements&state=${searchParams.get('state')}`
    const page = await browser.open(`/auth/callback?${answer}`)
    expect(await outcomeOf(page, browser)).toEqual(expectedOutcome(tooWeak))
  })
})

describe('the authorization response', () => {
  const iss = (value: string) => `&iss=${encodeURIComponent(value)}`
  it.each<[string, () => string, Outcome | typeof signedIn, string?]>([
    ['iss: the provider’s', () => iss(provider.issuer), signedIn],
    ['iss: another', () => iss('https://evil.example'), expired],
    ['iss: missing, not announced', () => '', signedIn],
    ['iss: twice', () => iss(provider.issuer).repeat(2), expired, '/login'],
  ])('is checked for its issuer: %s', async (_name, query, outcome, again) => {
    expect(await outcomeWith({}, portal.browser(), query())).toEqual(expectedOutcome(outcome, again))
  })

  it('is refused without iss when the provider announces it (RFC 9207)', async () => {
    provider.setFaults({ metadata: { authorization_response_iss_parameter_supported: true } })
    const promised = await startPortalOf(provider.issuer, { database: portal.database })
    await promised.browser().open('/login', { follow: false })
    const browser = promised.browser()
    const page = await signIn({}, browser)
    expect(await outcomeOf(page, browser)).toEqual(expectedOutcome(expired))
    const right = await signIn({}, promised.browser(), `&iss=${encodeURIComponent(provider.issuer)}`)
    expect(right.url.pathname).toBe('/profile')
    await promised.stop()
  })

  it('is refused in another browser and still works in the right one', async () => {
    const [browser, other] = [portal.browser(), portal.browser()]
    const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
    await startTab(other)
    provider.setFaults({}, String(searchParams.get('nonce')))
    const callback = `/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}`
    const asked = provider.calls('token')
    for (const wrong of [other, portal.browser()])
      expect(await outcomeOf(await wrong.open(callback), wrong)).toEqual(expectedOutcome(expired, '/login'))
    expect(provider.calls('token')).toBe(asked)
    expect((await browser.open(callback)).url.pathname).toBe('/profile')
  })

  it('that failed is refused the second time; the code is sent to the provider once', async () => {
    const browser = portal.browser()
    const { searchParams } = await startTab(browser)
    provider.setFaults(error(400, 'invalid_grant'), String(searchParams.get('nonce')))
    const callback = `/auth/callback?code=code-of-the-tests&state=${searchParams.get('state')}`
    const asked = provider.calls('token')
    await browser.open(callback)
    expect(errorPageOf(await browser.open(callback)).slice(0, 2)).toEqual([400, expired.title])
    expect(provider.calls('token') - asked).toBe(1)
  })
})

describe('the provider metadata', () => {
  const elsewhere: ProviderFaults = { metadata: { authorization_endpoint: 'http://127.0.0.1:1/elsewhere' } }
  const leadsTo = async (browser: Browser): Promise<string> => (await startTab(browser)).pathname

  it('is refreshed when it is old, and kept while the provider is down', async () => {
    provider.setFaults({})
    const hasty = await startPortalOf(provider.issuer, {
      database: portal.database,
      times: { refreshMs: 0, restMs: 0 },
    })
    const browser = hasty.browser()
    expect(await leadsTo(browser)).toBe('/authorize')
    const before = provider.calls('discovery')
    provider.setFaults({ answer: { discovery: answers(500, {}) } })
    for (let i = 0; i < 3; i += 1) expect(await leadsTo(browser)).toBe('/authorize')
    expect(provider.calls('discovery')).toBeGreaterThan(before)
    provider.setFaults({ metadata: { issuer: 'https://evil.example' } })
    for (let i = 0; i < 3; i += 1) expect(await leadsTo(browser)).toBe('/authorize')
    provider.setFaults(elsewhere)
    await expect.poll(async () => leadsTo(browser)).toBe('/elsewhere')
    await hasty.stop()
  })

  it('is refreshed after a failed request, but not before the minimum interval', async () => {
    provider.setFaults({})
    const calm = await startPortalOf(provider.issuer, {
      database: portal.database,
      times: { restMs: 3000 },
    })
    await signIn({}, calm.browser())
    const before = provider.calls('discovery')
    await signIn(error(404, 'moved'), calm.browser())
    provider.setFaults(elsewhere)
    expect(await leadsTo(calm.browser())).toBe('/authorize')
    expect(provider.calls('discovery')).toBe(before)
    await expect.poll(async () => leadsTo(calm.browser()), { timeout: 20_000, interval: 200 }).toBe('/elsewhere')
    expect(provider.calls('discovery')).toBe(before + 1)
    await calm.stop()
  })
})

describe('the log', () => {
  it('contains the reasons, and no code, token, secret, state, cookie or e-mail address', () => {
    const log = portal.log()
    for (const reason of ['EidUnavailableError', 'EidAnswerError', 'SignInExpiredError', 'ECONNREFUSED'])
      expect(log).toContain(reason)
    expect(log.includes('InternalError')).toBe(false)
    const secrets =
      /.{0,80}(access-tok|code-of-the|secret-of-the|eyJ|example\.com|code_verifier|portal=|\{\\*"access_t|xxxx).{0,40}/g
    expect((log + strict.log()).match(secrets)).toBeNull()
  })
})
