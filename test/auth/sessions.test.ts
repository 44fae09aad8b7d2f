import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { everyRoute } from '../support/every-route.ts'
import { whileHeld } from '../support/held-query.ts'
import { startFaultyProvider } from '../support/faulty-provider.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { startPortalOf } from '../support/portal-of.ts'
import { startTab, throughEid } from '../support/sign-in-steps.ts'

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

const minute = 60_000

async function rows() {
  const { rows: found } = await query(`select id, extract(epoch from ends_at - now()) / 60 as minutes from sessions`)
  return found.map(({ id, minutes }) => ({ id, minutes: Number(minutes) }))
}

/** The text of /profile in a browser with this cookie. */
async function profileTextWith(cookie: string | undefined): Promise<string> {
  const browser = test.browser()
  browser.plant('portal', String(cookie))
  return (await browser.open('/profile')).words
}

describe('a signed-out visitor', () => {
  it.each(['/', '/register', '/?returnTo=/profile', '/select', '/language/nb', '/auth/callback', '/no/such'])(
    'who opens %s creates no session and gets no session cookie',
    async (path) => {
      const browser = test.browser()
      await browser.open(path)
      expect(browser.cookie('portal')).toBeUndefined()
      expect(await rows()).toEqual([])
    },
  )

  it('who starts and cancels sign-ins, or sends any form, creates no session and no audit entry', async () => {
    const browser = test.browser()
    const audited = async () => (await query('select count(*)::int as count from audit')).rows[0]?.['count']
    const before = await audited()
    for (const button of ['Cancel', 'Cancel']) {
      const answer = await throughEid(browser, await startTab(browser), button)
      expect((await browser.open(answer.href)).status).toBe(400)
    }
    for (const { section, method, path } of everyRoute())
      if (method === 'POST' && section !== 'servers') await browser.post(path, { _csrf: 'x' }, { follow: false })
    await test.portal.audit.flush()
    expect(browser.cookie('portal')).toBeUndefined()
    expect([await rows(), await audited()]).toEqual([[], before])
  })
})

describe('the session cookie', () => {
  it('is HttpOnly, SameSite=Lax and without expiry, and is set once per session', async () => {
    const browser = test.browser()
    const start = await browser.open('/login', { follow: false })
    const plain = /^portal=s%3A[\w%.-]+; Path=\/; HttpOnly; SameSite=Lax$/
    const answer = await throughEid(browser, new URL(String(start.headers['location'])), 'Kari Nordmann')
    const finish = await browser.open(answer.href, { follow: false })
    const all = finish.headers['set-cookie'] as unknown as readonly string[]
    const set = all.filter((each) => each.startsWith('portal='))
    expect(set).toEqual([expect.stringMatching(plain)])
    expect((await browser.open('/profile')).headers['set-cookie']).toBeUndefined()
  })

  it('is replaced at sign-in, and the previous one is no longer valid', async () => {
    const [attacker, victim] = [await test.signedIn('Åse Bjørk'), test.browser()]
    const planted = String(attacker.cookie('portal'))
    victim.plant('portal', planted)
    await victim.open('/login')
    expect((await victim.press('Kari Nordmann')).status).toBe(200)
    expect(victim.cookie('portal')).not.toBe(planted)
    expect((await attacker.open('/profile')).words).toContain('Sign in with eID')
    expect(await profileTextWith(victim.cookie('portal'))).toContain('kari.nordmann@nordlys.example')
    expect(await rows()).toHaveLength(1)
  })

  it('is ignored without a valid signature', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const cookie = decodeURIComponent(String(browser.cookie('portal')))
    const [sid = '', signature = ''] = cookie.slice(2).split('.')
    for (const forged of [sid, `s:${sid}`, `s:${sid}.${signature.slice(1)}`, `s:${sid}.`, `s:x.${signature}`])
      expect(await profileTextWith(encodeURIComponent(forged))).toContain('Sign in with eID')
  })
})

describe('a session', () => {
  it('ends half an hour after the last request', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    await query(`update sessions set ends_at = now() + interval '2 minutes'`)
    expect((await browser.open('/profile')).url.pathname).toBe('/profile')
    const [row] = await rows()
    expect(row?.minutes).toBeGreaterThan(29)
    expect(row?.minutes).toBeLessThan(31)
    await query(`update sessions set ends_at = now() - interval '2 seconds'`)
    expect((await browser.open('/profile')).words).toContain('Sign in with eID')
  })

  it('ends twelve hours after sign-in, even when it is in use', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const [row] = await rows()
    const signedInAgo = async (ms: number) => {
      await query('update sessions set signed_in_at = $1', [new Date(Date.now() - ms)])
      return (await browser.open('/profile')).words
    }
    expect(await signedInAgo(12 * 60 * minute - minute)).toContain('kari.nordmann@nordlys.example')
    expect(await signedInAgo(12 * 60 * minute + 1)).toContain('Sign in with eID')
    expect((await rows()).map(({ id }) => id)).not.toContain(row?.id)
    // The eID session goes on, so the portal signs the user in again.
    expect((await browser.open('/login')).url.pathname).toBe('/partners/12345')
  })

  it('is signed out when its user is deleted', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    await query('delete from users')
    expect((await browser.open('/profile')).words).toContain('Sign in with eID')
  })

  it('is saved before the browser is redirected', async () => {
    const browser = test.browser()
    const answer = await throughEid(browser, await startTab(browser), 'Kari Nordmann')
    const headers = {
      cookie: browser
        .cookies()
        .map(({ name, value }) => `${name}=${value}`)
        .join('; '),
    }
    let redirected = false
    const redirect = await whileHeld(
      test.portal.database.kysely,
      /^insert into "sessions"/,
      async () => {
        const response = await fetch(answer, { redirect: 'manual', headers })
        redirected = true
        return response
      },
      async () => {
        await fetch(`${test.url}/healthz`)
        expect(redirected).toBe(false)
      },
    )
    const cookie = String(redirect.headers.getSetCookie().find((set) => set.startsWith('portal=')))
    const profile = await fetch(`${test.url}/profile`, {
      redirect: 'manual',
      headers: { cookie: String(cookie.split(';')[0]) },
    })
    expect(profile.status).toBe(200)
  })

  it('that has ended is not restored by a slower request', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const cookie = browser.cookie('portal')
    await browser.open('/profile')
    await query(`update sessions set ends_at = now() + interval '9 minutes'`)
    const slow = await whileHeld(
      test.portal.database.kysely,
      /^update "sessions" set "last_used_at"/,
      () => fetch(`${test.url}/profile`, { redirect: 'manual', headers: { cookie: `portal=${cookie}` } }),
      () => browser.press('Sign out', { until: '/session/end' }),
    )
    expect(slow.headers.getSetCookie().filter((each) => each.startsWith('portal='))).toEqual([])
    expect(await profileTextWith(cookie)).toContain('Sign in with eID')
  })

  it('is stored under a digest that is not valid as a cookie', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const [row] = await rows()
    const cookie = decodeURIComponent(String(browser.cookie('portal')))
    expect(cookie).not.toContain(String(row?.id))
    const signed = (id: string) => {
      const mac = createHmac('sha256', 'session-secret-of-the-tests-0123456789').update(id).digest('base64')
      return `s:${id}.${mac.replace(/=+$/, '')}`
    }
    expect(signed(cookie.slice('s:'.length).split('.', 1).join())).toBe(cookie)
    expect(await profileTextWith(encodeURIComponent(signed(String(row?.id))))).toContain('Sign in with eID')
  })
})

describe('with an https PORTAL_URL', () => {
  const strict = /^__Host-portal=s%3A[\w%.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/
  const strictSignIn =
    /^__Host-portal-sign-in-[\w-]+=eyJ[\w.-]+; Max-Age=900; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax$/

  it('cookies have the __Host- prefix, and the eID redirects to the public URL', async () => {
    const provider = await startFaultyProvider()
    // The portal itself listens on http, as behind a proxy that terminates TLS.
    const env = { PORTAL_URL: 'https://portal.example' }
    const portal = await startPortalOf(provider.issuer, { env, database: test.portal.database })
    const get = (path: string, cookie = '') => fetch(portal.url + path, { redirect: 'manual', headers: { cookie } })
    try {
      const start = await get('/login?returnTo=/profile')
      const [first = ''] = start.headers.getSetCookie()
      expect(first).toMatch(strictSignIn)
      const { searchParams } = new URL(String(start.headers.get('location')))
      expect(searchParams.get('redirect_uri')).toBe('https://portal.example/auth/callback')
      provider.setFaults({}, String(searchParams.get('nonce')))
      const before = String(first.split(';')[0])
      const end = await get(`/auth/callback?code=x&state=${searchParams.get('state')}`, before)
      expect([end.status, end.headers.get('location')]).toEqual([302, '/profile'])
      const second = String(end.headers.getSetCookie().find((set) => set.startsWith('__Host-portal=')))
      expect(second).toMatch(strict)
      const after = String(second.split(';')[0])
      expect((await get('/profile', after)).status).toBe(200)
      for (const cookie of [before, after.replace('__Host-', '')])
        expect((await get('/profile', cookie)).status).toBe(302)
    } finally {
      await portal.stop()
      await provider.stop()
    }
  })
})
