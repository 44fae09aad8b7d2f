import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { userIdOf } from '../../src/auth/user-id.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { whileHeld } from '../support/held-query.ts'
import { answers, type FaultyProvider, startFaultyProvider } from '../support/faulty-provider.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal } from '../support/portal.ts'
import { type PortalOf, startPortalOf } from '../support/portal-of.ts'
import { startTab } from '../support/sign-in-steps.ts'

const path = '/auth/backchannel-logout'
const event = 'http://schemas.openid.net/event/backchannel-logout'
const secret = 'client-secret-of-the-tests'

let provider: FaultyProvider
let portal: PortalOf
beforeAll(async () => {
  provider = await startFaultyProvider()
  portal = await startPortalOf(provider.issuer, { times: { refetchKeysMs: 0 } })
})
afterAll(async () => {
  await portal.stop()
  await provider.stop()
})
beforeEach(async () => {
  await portal.database.pool.query('delete from sessions')
})

type Claims = Record<string, unknown>
function now() {
  return Math.floor(Date.now() / 1000)
}

function validClaims(): Claims {
  return {
    iss: provider.issuer,
    aud: 'portal',
    iat: now(),
    exp: now() + 120,
    jti: randomUUID(),
    sub: 'some-user',
    events: { [event]: {} },
  }
}

const logoutHeader = { typ: 'logout+jwt' }

function token(over: Claims = {}, header: Claims = logoutHeader, foreignKey = false): string {
  return provider.sign({ ...validClaims(), ...over }, header, foreignKey)
}

function post(body: string | URLSearchParams, type = 'application/x-www-form-urlencoded') {
  return fetch(portal.url + path, {
    method: 'POST',
    headers: { 'content-type': type },
    body: body.toString(),
  })
}

function send(jwt: string) {
  return post(new URLSearchParams({ logout_token: jwt }))
}

/** A browser that is signed in as user `sub` in the provider's session `sid`. */
async function signedIn(sid: string | undefined, sub = 'some-user'): Promise<Browser> {
  const browser = portal.browser()
  const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
  provider.setFaults({ claims: { sid, sub }, userinfo: { sub } }, String(searchParams.get('nonce')))
  const page = await browser.open(`/auth/callback?code=code&state=${searchParams.get('state')}`)
  expect([page.status, page.url.pathname]).toEqual([200, '/profile'])
  return browser
}

async function isSignedIn(browser: Browser): Promise<boolean> {
  return (await browser.open('/profile')).url.pathname === '/profile'
}

function signedInOf(browsers: Browser[]) {
  return Promise.all(browsers.map(isSignedIn))
}

describe('a logout token', () => {
  it('with a sid ends every session created from that eID session, and no other', async () => {
    const browsers = [await signedIn('one'), await signedIn('one'), await signedIn('two')]
    const answer = await send(token({ sub: undefined, sid: 'one' }))
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(await signedInOf(browsers)).toEqual([false, false, true])
  })

  it('with a sub ends every session of that user, and of no other user', async () => {
    const browsers = [await signedIn('one'), await signedIn(undefined), await signedIn('two', 'another')]
    expect((await send(token())).status).toBe(200)
    expect(await signedInOf(browsers)).toEqual([false, false, true])
    const { rows } = await portal.database.pool.query(
      `select user_id, details from audit where event = 'session ended' order by id desc limit 1`,
    )
    expect(rows).toEqual([{ user_id: userIdOf(provider.issuer, 'some-user'), details: { reason: 'back-channel' } }])
  })

  it('with a sub finds the user with USER_ID_SECRET, too', async () => {
    const withoutSecret = portal
    portal = await startPortalOf(provider.issuer, { env: { USER_ID_SECRET: 'ab'.repeat(32) } })
    try {
      const browsers = [await signedIn('one'), await signedIn('two', 'another')]
      expect((await send(token())).status).toBe(200)
      expect(await signedInOf(browsers)).toEqual([false, true])
    } finally {
      await portal.stop()
      portal = withoutSecret
    }
  })

  it('with both ends the sessions that match both and those of the user without a sid', async () => {
    const browsers = [
      await signedIn('one'),
      await signedIn('two'),
      await signedIn(undefined),
      await signedIn('one', 'another'),
    ]
    expect((await send(token({ sid: 'one' }))).status).toBe(200)
    expect(await signedInOf(browsers)).toEqual([false, true, false, true])
  })

  it('of an unknown user and session is answered with 200', async () => {
    expect((await send(token({ sub: 'nobody', sid: 'none' }))).status).toBe(200)
  })

  it('without exp is accepted, as older providers send it, and once only', async () => {
    const browser = await signedIn('one')
    const jwt = token({ exp: undefined, sid: 'one' })
    expect((await send(jwt)).status).toBe(200)
    expect(await isSignedIn(browser)).toBe(false)
    expect((await send(jwt)).status).toBe(400)
  })

  it.each([undefined, 'JWT', 'logout+jwt', 'application/logout+jwt', 'LOGOUT+JWT'])(
    'of type %s is accepted',
    async (typ) => {
      expect((await send(token({}, { typ }))).status).toBe(200)
    },
  )

  it('with further audiences and unknown claims is accepted', async () => {
    const events = { [event]: { more: 1 } }
    expect((await send(token({ aud: ['other', 'portal'], events, trace: 'x' }))).status).toBe(200)
  })

  it('ends a session that a slower request postpones at the same time', async () => {
    const browser = await signedIn('one')
    const cookie = browser.cookie('portal')
    const headers = { cookie: `portal=${cookie}` }
    await portal.database.pool.query(`update sessions set ends_at = now() + interval '9 minutes'`)
    const slow = await whileHeld(
      portal.database.kysely,
      /^update "sessions" set "last_used_at"/,
      () => fetch(`${portal.url}/profile`, { redirect: 'manual', headers }),
      async () => {
        expect((await send(token({ sid: 'one' }))).status).toBe(200)
      },
    )
    expect(slow.status).toBe(200)
    expect(await isSignedIn(browser)).toBe(false)
  })
})

describe('back-channel logout', () => {
  const past = (seconds: number) => now() - seconds
  const cases: [what: string, jwt: () => string | Promise<string>][] = [
    ['another issuer', () => token({ iss: 'https://evil.example' })],
    ['no issuer', () => token({ iss: undefined })],
    ['another audience', () => token({ aud: 'another' })],
    ['no audience', () => token({ aud: undefined })],
    ['no iat', () => token({ iat: undefined })],
    ['iat in the future', () => token({ iat: now() + 120, exp: now() + 240 })],
    ['iat long ago', () => token({ iat: past(600) })],
    ['iat as a string', () => token({ iat: 'now' })],
    ['no exp, and iat long ago', () => token({ exp: undefined, iat: past(600) })],
    ['no exp and no iat', () => token({ exp: undefined, iat: undefined })],
    ['exp as a string', () => token({ exp: 'soon' })],
    ['expired', () => token({ iat: past(200), exp: past(60) })],
    ['not valid yet', () => token({ nbf: now() + 120 })],
    ['no events', () => token({ events: undefined })],
    ['another event', () => token({ events: { 'https://evil.example/event': {} } })],
    ['an event that is not an object', () => token({ events: { [event]: true } })],
    ['an event that is an array', () => token({ events: { [event]: [] } })],
    ['events as an array', () => token({ events: [event] })],
    ['events as a string', () => token({ events: event })],
    ['a nonce', () => token({ nonce: 'n' })],
    ['a nonce of null', () => token({ nonce: null })],
    ['no jti', () => token({ jti: undefined })],
    ['an empty jti', () => token({ jti: '' })],
    ['neither sub nor sid', () => token({ sub: undefined })],
    ['sub as a number', () => token({ sub: 7 })],
    ['an empty sid', () => token({ sid: '' })],
    ['alg none', () => token({}, { ...logoutHeader, alg: 'none' })],
    [
      'HS256 with the client secret',
      () => new SignJWT(validClaims()).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret)),
    ],
    ['ES256 in the name of HS256', () => token({}, { ...logoutHeader, alg: 'HS256' })],
    ['an unknown kid', () => token({}, { ...logoutHeader, kid: 'another' })],
    ['a key that is not the provider’s', () => token({}, logoutHeader, true)],
    ['the signature of another token', () => `${token().split('.').slice(0, 2).join('.')}.${token().split('.')[2]}`],
    ['another typ', () => token({}, { typ: 'at+jwt' })],
    ['the typ of a security event token', () => token({}, { typ: 'secevent+jwt' })],
    ['an unknown critical header', () => token({}, { ...logoutHeader, crit: ['x'], x: 1 })],
    [
      'an ID token',
      () =>
        provider.sign({
          iss: provider.issuer,
          aud: 'portal',
          iat: now(),
          exp: now() + 99,
          sub: 'some-user',
          nonce: 'n',
        }),
    ],
    ['not a JWT', () => 'not-a-jwt'],
    ['three empty parts', () => '..'],
    ['five empty parts', () => '....'],
    ['empty', () => ''],
  ]
  it.each(cases)('refuses a logout token with 400 and ends no session: %s', async (_what, jwt) => {
    const browser = await signedIn('one')
    const answer = await send(await jwt())
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect([answer.status, await answer.json()]).toEqual([400, { error: 'invalid_request' }])
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('refuses the same token the second time', async () => {
    const jwt = token()
    expect((await send(jwt)).status).toBe(200)
    const browser = await signedIn('one')
    expect((await send(jwt)).status).toBe(400)
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('accepts one of several concurrent tokens with the same jti', async () => {
    const jti = randomUUID()
    const statuses = await Promise.all([1, 2, 3].map(async () => (await send(token({ jti }))).status))
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 400, 400])
  })

  it.each<[string, () => Promise<Response>]>([
    ['no parameter', () => post('')],
    ['the parameter twice', () => post(`logout_token=${token()}&logout_token=${token()}`)],
    ['an array parameter', () => post(`logout_token[]=${token()}`)],
    ['the token in the query', () => fetch(`${portal.url}${path}?logout_token=${token()}`, { method: 'POST' })],
    ['JSON', () => post(JSON.stringify({ logout_token: token() }), 'application/json')],
    ['the bare token as application/jwt', () => post(token(), 'application/jwt')],
    ['a huge body', () => post(`logout_token=${'x'.repeat(200_000)}`)],
    ['a huge token', () => post(`logout_token=${'x'.repeat(15_000)}`)],
    ['an unknown charset', () => post('logout_token=x', 'application/x-www-form-urlencoded; charset=x')],
    ['U+0000', () => post('logout_token=%00')],
  ])('answers 400 to a malformed request: %s', async (_what, ask) => {
    const answer = await ask()
    expect([answer.status, await answer.json()]).toEqual([400, { error: 'invalid_request' }])
  })

  it.each(['GET', 'PUT', 'DELETE', 'PATCH'])('answers 405 to %s', async (method) => {
    const answer = await fetch(portal.url + path, { method })
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

it('back-channel logout works without a CSRF token and sets no cookie', async () => {
  const answer = await fetch(portal.url + path, {
    method: 'POST',
    headers: { cookie: 'portal=s%3Ax.y', origin: 'https://evil.example' },
    body: new URLSearchParams({ logout_token: token() }),
  })
  expect([answer.status, answer.headers.get('set-cookie')]).toEqual([200, null])
})

it('the log contains no logout token and no subject', () => {
  expect(portal.log()).toContain('logout token already used')
  expect(portal.log()).not.toMatch(/eyJ|some-user|evil\.example/)
})

it('back-channel logout answers 503 while the provider’s keys are unavailable, and accepts the same token afterwards', async () => {
  const other = await startFaultyProvider()
  const failing = await startPortalOf(other.issuer, { times: { refetchKeysMs: 0 } })
  try {
    const jwt = other.sign({ ...validClaims(), iss: other.issuer }, logoutHeader)
    const ask = () => fetch(failing.url + path, { method: 'POST', body: new URLSearchParams({ logout_token: jwt }) })
    other.setFaults({ answer: { jwks: answers(500, {}) } })
    const answer = await ask()
    expect([answer.status, await answer.json()]).toEqual([503, { error: 'temporarily_unavailable' }])
    other.setFaults({})
    expect((await ask()).status).toBe(200)
  } finally {
    await failing.stop()
    await other.stop()
  }
})

it('signing out at the demo eID ends every portal session created from that eID session, in any browser', async () => {
  const test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
  try {
    const browser = await test.signedIn('Kari Nordmann')
    const first = browser.cookie('portal')
    // Forget the portal's cookie only: the eID session is the same, the portal session a new one.
    browser.plant('portal', 'forgotten')
    expect((await browser.open('/login?returnTo=/profile')).url.pathname).toBe('/profile')
    const second = browser.cookie('portal')
    expect(second).not.toBe(first)
    const elsewhere = await test.signedIn('Kari Nordmann')
    const profileTextWith = async (cookie: string | undefined) => {
      const other = test.browser()
      other.plant('portal', String(cookie))
      return (await other.open('/profile')).url.pathname
    }
    expect([await profileTextWith(first), await profileTextWith(second)]).toEqual(['/profile', '/profile'])
    await browser.open(`${test.issuer}/session/end`)
    await browser.press('Continue', { follow: false })
    expect([await profileTextWith(first), await profileTextWith(second)]).toEqual(['/', '/'])
    expect((await elsewhere.open('/profile')).url.pathname).toBe('/profile')
  } finally {
    await test.stop()
  }
})
