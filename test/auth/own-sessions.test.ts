import { decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { createLogger } from '../../src/logger.ts'
import { addGrant, removeGrant } from '../../src/store/grants.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { whileHeld } from '../support/held-query.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { errorPageOf } from '../support/sign-in-steps.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
})
afterAll(async () => test.stop())
beforeEach(async () => {
  await query('delete from sessions')
})

type Query = (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>
const query: Query = (text, values) => test.portal.database.pool.query(text, values)

function signedIn() {
  return test.signedIn('Kari Nordmann')
}

function cookieHeader(browser: Browser) {
  return { cookie: `portal=${browser.cookie('portal')}` }
}

async function isSignedIn(browser: Browser): Promise<boolean> {
  return (await browser.open('/profile')).url.pathname === '/profile'
}

async function lastAudit(): Promise<unknown[]> {
  const { rows } = await query(
    `select event, details ->> 'reason' as reason from audit
     where event in ('session ended', 'sign-out') order by id desc limit 1`,
  )
  return rows.map(({ event, reason }) => [event, reason])
}

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0'
const iphone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1'

/** Signs Kari in with this User-Agent. */
async function signedInWith(userAgent: string): Promise<Browser> {
  const browser = test.browser()
  const headers = { 'User-Agent': userAgent }
  await browser.open('/login?returnTo=/profile', { headers })
  const answer = await browser.press('Kari Nordmann', { until: '/auth/callback' })
  await browser.open(String(answer.headers['location']), { headers })
  return browser
}

function devices(page: Visit): string[] {
  return page
    .$('.devices li')
    .toArray()
    .map((element) => page.$(element).text().replace(/\s+/g, ' ').trim())
}

describe('the row of a session', () => {
  it('holds no plain token, verifier or nonce', async () => {
    await signedInWith(firefox)
    const { rows } = await query('select * from sessions')
    expect(rows).toHaveLength(1)
    const [row] = rows
    expect(row).toMatchObject({
      user_id: test.userId('Kari Nordmann'),
      device: { browser: 'Firefox', system: 'Linux' },
      address: '127.0.0.0/24',
      eid_session_id: expect.stringMatching(/./),
    })
    // Of `state` a digest only.
    expect(row?.['data']).toEqual({
      csrfToken: expect.stringMatching(/./),
      finishedSignIn: { answer: expect.stringMatching(/^[\da-f]{16}$/), returnTo: expect.stringMatching(/^\//) },
    })
    expect(decodeProtectedHeader(String(row?.['encrypted_id_token']))).toEqual({ alg: 'dir', enc: 'A256GCM' })
    expect(String(row?.['encrypted_id_token']).split('.')).toHaveLength(5)
  })

  it('with an undecryptable ID token signs out without id_token_hint', async () => {
    const browser = await signedIn()
    await query(`update sessions set encrypted_id_token = 'a.b.c.d.e'`)
    await browser.open('/profile')
    const { searchParams, pathname } = (await browser.press('Sign out')).url
    expect([pathname, searchParams.has('id_token_hint')]).toEqual(['/session/end', false])
    expect(searchParams.get('client_id')).toBe('portal')
  })
})

describe('the list of own sessions', () => {
  it('shows device, time and truncated address of each, and marks the current one', async () => {
    const here = await signedInWith(iphone)
    await signedInWith(firefox)
    await signedInWith('?')
    await test.signedIn('Åse Bjørk')
    const page = await here.open('/profile')
    const [first, ...others] = devices(page)
    expect(first).toMatch(/^Safari on iOS This device Signed in .* · active now · from 127\.0\.0\.0\/24 Sign out$/)
    expect(others).toHaveLength(2)
    expect(others.join()).toMatch(/Firefox on Linux Signed in .*1 minute ago/)
    expect(others.join()).toContain('Unknown browser')
    const cookie = decodeURIComponent(String(here.cookie('portal')))
    expect(page.text).not.toContain(cookie.slice(2, cookie.indexOf('.')))
    expect(page.$('.devices li').first().find('form').attr('action')).toBe('/logout')
  })

  it('ends one session, all others, or all', async () => {
    const [here, one, two] = [await signedIn(), await signedInWith(firefox), await signedIn()]
    const stranger = await test.signedIn('Åse Bjørk')
    const list = await here.open('/profile')
    const key = String(
      list
        .$('.devices li')
        .filter((_, element) => list.$(element).text().includes('Firefox'))
        .find('button')
        .attr('value'),
    )
    const csrf = String(list.$('input[name=_csrf]').first().val())
    const ended = await here.post('/profile/sessions/revoke', { _csrf: csrf, session: key })
    expect([ended.status, ended.url.pathname]).toEqual([200, '/profile'])
    expect(ended.words).toContain('1 session has ended.')
    expect(await lastAudit()).toEqual([['session ended', 'revoked']])
    expect([await isSignedIn(one), await isSignedIn(two)]).toEqual([false, true])

    await here.open('/profile')
    expect((await here.press('Sign out all other devices')).words).toContain('1 session has ended.')
    expect([await isSignedIn(here), await isSignedIn(two)]).toEqual([true, false])

    const three = await signedIn()
    await here.open('/profile')
    const asks = await here.open('/profile')
    expect(asks.$('.everywhere details').text().replace(/\s+/g, ' ').trim()).toBe(
      'Sign out everywhere This ends all 2 sessions, this one included. Yes, sign out everywhere',
    )
    expect((await here.press('Yes, sign out everywhere')).url.origin).toBe(test.issuer)
    expect(await lastAudit()).toEqual([['sign-out', null]])
    expect([await isSignedIn(here), await isSignedIn(three)]).toEqual([false, false])
    expect(await isSignedIn(stranger)).toBe(true)
  })

  it('ends no session of another user, and none for an unknown key', async () => {
    const [kari, ase] = [await signedIn(), await test.signedIn('Åse Bjørk')]
    const second = await test.signedIn('Åse Bjørk')
    const page = await ase.open('/profile')
    const key = String(page.$('.devices button').attr('value'))
    const csrf = String((await kari.open('/profile')).$('input[name=_csrf]').first().val())
    for (const session of [key, 'x', '__proto__', '\0'])
      expect((await kari.post('/profile/sessions/revoke', { _csrf: csrf, session })).words).toContain(
        'The session had already ended.',
      )
    for (const form of [{ _csrf: csrf }, { _csrf: csrf, session: '' }, { _csrf: csrf, 'session[]': 'all' }])
      expect(errorPageOf(await kari.post('/profile/sessions/revoke', form))[0]).toBe(400)
    expect([await isSignedIn(ase), await isSignedIn(second)]).toEqual([true, true])
  })

  it('has ten entries at most: the eleventh sign-in ends the oldest session', async () => {
    const browsers: Browser[] = []
    for (let count = 0; count < 11; count += 1) browsers.push(await signedIn())
    const alive = []
    for (const browser of browsers) alive.push(await isSignedIn(browser))
    expect(alive).toEqual([false, ...Array.from({ length: 10 }, () => true)])
    expect(await lastAudit()).toEqual([['session ended', 'too many']])
  })

  it('does not regain an ended session from a slower request', async () => {
    const [here, there] = [await signedIn(), await signedIn()]
    await here.open('/profile')
    await query(`update sessions set ends_at = now() + interval '9 minutes'`)
    const slow = await whileHeld(
      test.portal.database.kysely,
      /^update "sessions" set "last_used_at"/,
      () => fetch(`${test.url}/profile`, { redirect: 'manual', headers: cookieHeader(there) }),
      async () => {
        await here.press('Sign out all other devices')
      },
    )
    expect(slow.headers.getSetCookie().filter((each) => each.startsWith('portal='))).toEqual([])
    expect(await isSignedIn(there)).toBe(false)
  })
})

it('a change of grants takes effect at the next request of the same session', async () => {
  const { kysely } = test.portal.database
  const grant = [kysely, { kind: 'partner', id: '34567' }, test.userId('Kari Nordmann')] as const
  const browser = await signedIn()
  const cookie = browser.cookie('portal')
  const status = async () => (await browser.open('/partners/34567')).status
  const before = await status()
  if (!(await removeGrant(...grant))) await addGrant(...grant)
  expect(new Set([before, await status()])).toEqual(new Set([200, 404]))
  expect(browser.cookie('portal')).toBe(cookie)
})

describe('the end of a session', () => {
  const minute = 60_000
  const state = async (browser: Browser) => {
    const headers = { ...cookieHeader(browser), Accept: 'application/json', 'X-Background': '1' }
    const answer = await fetch(`${test.url}/session/ending`, { headers })
    return (await answer.json()) as { kind: string; leftMs: number; words: string }
  }
  const idleFor = (minutes: number) =>
    query(
      `update sessions set ends_at = now() + interval '${30 - minutes} minutes', last_used_at = now() - interval '${minutes} minutes'`,
    )
  const signedInAgo = (ms: number) => query(`update sessions set signed_in_at = $1`, [new Date(Date.now() - ms)])

  it('is postponed by a page view, but not by background requests', async () => {
    const browser = await signedIn()
    await idleFor(25)
    for (const path of ['/profile', '/session/ending', '/partners/12345/sales-units'])
      await browser.open(path, { headers: { 'X-Background': '1' } })
    const before = await state(browser)
    expect(before).toMatchObject({ kind: 'idle', words: expect.stringMatching(/signed out at \d\d:\d\d/) })
    expect(before.leftMs).toBeLessThan(5 * minute)
    await browser.open('/profile')
    expect((await state(browser)).leftMs).toBeGreaterThan(29 * minute)
  })

  it('is postponed by the button of the notice, with and without JavaScript', async () => {
    const browser = await signedIn()
    const csrf = String((await browser.open('/profile')).$('input[name=_csrf]').first().val())
    await idleFor(29)
    const answer = await fetch(`${test.url}/session/stay`, {
      method: 'POST',
      headers: { ...cookieHeader(browser), Accept: 'application/json' },
      body: new URLSearchParams({ _csrf: csrf }),
    })
    expect([answer.status, ((await answer.json()) as { leftMs: number }).leftMs > 29 * minute]).toEqual([200, true])
    expect((await state(browser)).leftMs).toBeGreaterThan(29 * minute)
    await browser.open('/session/ending?returnTo=/select?all')
    const back = await browser.press('Stay signed in')
    expect([back.status, back.url.pathname]).toEqual([200, '/select'])
    const evil = await browser.post('/session/stay', { _csrf: csrf, returnTo: '//evil.example' })
    expect(evil.url.origin).toBe(test.url)
  })

  it('by age is announced on every page, with a link to sign in and return', async () => {
    const browser = await signedIn()
    await signedInAgo(12 * 60 * minute - 6 * minute)
    expect((await browser.open('/select?all')).$('.session-timeout:not([hidden])')).toHaveLength(0)
    await signedInAgo(12 * 60 * minute - 4 * minute)
    const page = await browser.open('/select?all')
    expect(page.$('.session-timeout:not([hidden])').text()).toMatch(/signed out at \d\d:\d\d/)
    expect(page.$('.session-timeout:not([hidden]) a').attr('href')).toBe('/login?returnTo=%2Fselect%3Fall')
    expect(await state(browser)).toMatchObject({ kind: 'age' })
    expect((await browser.follow('Sign in again')).url.pathname).toBe('/select')
    expect((await state(browser)).kind).toBe('idle')
  })

  it('redirects a submitted form to the sign-in page, which explains it and returns to the form’s page', async () => {
    const browser = await signedIn()
    await query('delete from sessions')
    const answer = await fetch(`${test.url}/profile/sessions/revoke`, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...cookieHeader(browser), referer: `${test.url}/select?all` },
      body: new URLSearchParams({ session: 'others' }),
    })
    const to = String(answer.headers.get('location'))
    expect([answer.status, to]).toEqual([303, '/?form&returnTo=%2Fselect%3Fall'])
    const page = await browser.open(to)
    expect(page.words).toContain('nothing was done.')
    expect((await browser.follow('Sign in with eID')).url.pathname).toBe('/select')
  })

  it('by age is recorded in the audit log', async () => {
    const browser = await signedIn()
    await signedInAgo(12 * 60 * minute + 1)
    expect(await isSignedIn(browser)).toBe(false)
    expect(await lastAudit()).toEqual([['session ended', 'too old']])
  })

  it('is moved in the database at most once a minute', async () => {
    const browser = await signedIn()
    const usedAt = async () => (await query('select last_used_at from sessions')).rows[0]?.['last_used_at']
    const first = await usedAt()
    await browser.open('/profile')
    expect(await usedAt()).toEqual(first)
    await idleFor(2)
    await browser.open('/profile')
    expect(await usedAt()).not.toEqual(first)
  })
})

it('signing out clears the browser’s cache', async () => {
  const browser = await signedIn()
  await browser.open('/profile')
  const answer = await browser.press('Sign out', { follow: false })
  expect([answer.status, answer.headers['clear-site-data']]).toEqual([302, '"cache"'])
  expect(await lastAudit()).toEqual([['sign-out', null]])
})

describe('the operator', () => {
  const run = async (userId: string) =>
    runCommand(
      {
        database: test.portal.database,
        organisations: new Map(),
        logger: createLogger('silent'),
        sync: () => Promise.reject(new Error('this command reads nothing')),
      },
      ['sign-out', userId],
      { tell: () => {}, signal: new AbortController().signal, operator: 'kim' },
    )

  it('ends all sessions of a user, and of no other user', async () => {
    const [here, there] = [await signedIn(), await signedIn()]
    const nora = await test.signedIn('Nora Lie')
    const kari = test.userId('Kari Nordmann')
    expect(await run(kari)).toMatchObject({
      exitCode: 0,
      output: `Kari Nordmann (${kari}) has been signed out: 2 sessions.`,
    })
    for (const browser of [here, there]) expect(await isSignedIn(browser)).toBe(false)
    expect(await isSignedIn(nora)).toBe(true)
    expect(await lastAudit()).toEqual([['session ended', 'operator']])
    expect((await run(kari)).output).toBe(`Kari Nordmann (${kari}) was not signed in.`)
    expect(await run('unknown')).toMatchObject({ exitCode: 1, output: '' })
  })
})
