import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../src/demo/world.ts'
import { startLyingProvider } from '../support/lying-provider.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { startPortalOf } from './portal-of.ts'
import { startTab, throughEid } from './steps.ts'

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
const rows = async () => {
  const { rows: found } = await query(
    `select sid, sess, extract(epoch from (expire - now()::timestamp)) as left_s from sessions`,
  )
  return found.map(({ sid, sess, left_s: left }) => ({ sid, sess, minutes: Number(left) / 60 }))
}

/** What somebody with this cookie sees at /profile. */
const seenWith = async (cookie: string | undefined): Promise<string> => {
  const browser = test.browser()
  browser.plant('portal', String(cookie))
  return (await browser.open('/profile')).words
}

/** Holds back what the portal writes to the table of sessions until `go` is resolved. */
const holdSessionWrites = (which: (values: unknown) => boolean) => {
  const { pool } = test.portal.database
  const original = pool.query.bind(pool) as Query
  const [held, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const slow: Query = async (text, values) => {
    if (/^(insert into|update) "?sessions"? .*sess/i.test(text) && which(JSON.stringify(values))) {
      held.resolve()
      await go.promise
    }
    return original(text, values)
  }
  Object.assign(pool, { query: slow })
  return { held: held.promise, go: go.resolve, undo: () => Object.assign(pool, { query: original }) }
}

describe('a stranger', () => {
  it.each(['/', '/register', '/?returnTo=/profile', '/select', '/language/nb', '/auth/callback', '/no/such'])(
    'who only looks at %s leaves no session and gets no cookie of one',
    async (path) => {
      const browser = test.browser()
      await browser.open(path)
      expect(browser.cookie('portal')).toBeUndefined()
      expect(await rows()).toEqual([])
    },
  )
})

describe('the cookie', () => {
  it('is for us alone and no script, without an end of its own, and comes once a session', async () => {
    const browser = test.browser()
    const start = await browser.open('/login', { follow: false })
    const plain = /^portal=s%3A[\w%.-]+; Path=\/; HttpOnly; SameSite=Lax$/
    expect(start.headers['set-cookie']).toEqual([expect.stringMatching(plain)])
    const answer = await throughEid(browser, new URL(String(start.headers['location'])), 'Kari Nordmann')
    const finish = await browser.open(answer.href, { follow: false })
    expect(finish.headers['set-cookie']).toEqual([expect.stringMatching(plain)])
    expect((await browser.open('/profile')).headers['set-cookie']).toBeUndefined()
  })

  it('is another one after sign-in, and the one before is worth nothing', async () => {
    const [attacker, victim] = [test.browser(), test.browser()]
    await startTab(attacker)
    const planted = String(attacker.cookie('portal'))
    victim.plant('portal', planted)
    expect((await victim.signIn('Kari Nordmann')).status).toBe(200)
    expect(victim.cookie('portal')).not.toBe(planted)
    expect((await attacker.open('/profile')).words).toContain('Sign in with eID')
    expect(await seenWith(victim.cookie('portal'))).toContain('kari.nordmann@nordlys.example')
    expect(await rows()).toHaveLength(1)
  })

  it('must be signed: an id alone, or with another signature, is nobody', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const cookie = decodeURIComponent(String(browser.cookie('portal')))
    const [sid = '', signature = ''] = cookie.slice(2).split('.')
    for (const forged of [sid, `s:${sid}`, `s:${sid}.${signature.slice(1)}`, `s:${sid}.`, `s:x.${signature}`])
      expect(await seenWith(encodeURIComponent(forged))).toContain('Sign in with eID')
  })
})

describe('a session', () => {
  it('ends half an hour after the last request', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    await query(`update sessions set expire = now() + interval '2 minutes'`)
    expect((await browser.open('/profile')).url.pathname).toBe('/profile')
    const [row] = await rows()
    expect(row?.minutes).toBeGreaterThan(29)
    expect(row?.minutes).toBeLessThan(31)
    await query(`update sessions set expire = now() - interval '2 seconds'`)
    expect((await browser.open('/profile')).words).toContain('Sign in with eID')
  })

  it('ends twelve hours after sign-in, whatever happens meanwhile', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const [row] = await rows()
    const signedInAgo = async (ms: number) => {
      const sess = { ...(row?.sess as object), signedInAt: Date.now() - ms }
      await query('update sessions set sess = $1', [JSON.stringify(sess)])
      return (await browser.open('/profile')).words
    }
    expect(await signedInAgo(12 * 60 * minute - minute)).toContain('kari.nordmann@nordlys.example')
    expect(await signedInAgo(12 * 60 * minute + 1)).toContain('Sign in with eID')
    expect((await rows()).map(({ sid }) => sid)).not.toContain(row?.sid)
    // The eID still knows who this is; the portal starts afresh.
    expect((await browser.open('/login')).url.pathname).toBe('/partners/12345')
  })

  it('is nobody’s when its user is gone', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    await query('delete from users')
    expect((await browser.open('/profile')).words).toContain('Sign in with eID')
  })

  it('is saved before the browser is sent on', async () => {
    const browser = test.browser()
    const answer = await throughEid(browser, await startTab(browser), 'Kari Nordmann')
    const before = `portal=${browser.cookie('portal')}`
    const { go, undo } = holdSessionWrites((values) => String(values).includes('signedInAt'))
    try {
      const redirect = fetch(answer, { redirect: 'manual', headers: { cookie: before } })
      setTimeout(go, 150)
      const [cookie = ''] = (await redirect).headers.getSetCookie()
      const profile = await fetch(`${test.url}/profile`, {
        redirect: 'manual',
        headers: { cookie: String(cookie.split(';')[0]) },
      })
      expect(profile.status).toBe(200)
    } finally {
      undo()
    }
  })

  it('that was ended does not come back with a slower request', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const cookie = browser.cookie('portal')
    await browser.open('/profile')
    const { held, go, undo } = holdSessionWrites((values) => String(values).includes('pendingSignIns'))
    try {
      const slow = fetch(`${test.url}/login`, { redirect: 'manual', headers: { cookie: `portal=${cookie}` } })
      await held
      await browser.press('Sign out', { until: '/session/end' })
      go()
      expect((await slow).headers.getSetCookie()).toEqual([])
      expect(await seenWith(cookie)).toContain('Sign in with eID')
    } finally {
      undo()
    }
  })
})

describe('at an https address', () => {
  const strict = /^__Host-portal=s%3A[\w%.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/

  it('cookies are such that no other host or path can set them, and one comes back to the public address', async () => {
    const provider = await startLyingProvider()
    // The portal itself listens on http, as behind a proxy that ends TLS.
    const env = { PORTAL_URL: 'https://portal.example' }
    const portal = await startPortalOf(provider.issuer, { env, database: test.portal.database })
    const get = (path: string, cookie = '') =>
      fetch(portal.url + path, { redirect: 'manual', headers: { cookie } })
    try {
      const start = await get('/login?returnTo=/profile')
      const [first = ''] = start.headers.getSetCookie()
      expect(first).toMatch(strict)
      const { searchParams } = new URL(String(start.headers.get('location')))
      expect(searchParams.get('redirect_uri')).toBe('https://portal.example/auth/callback')
      provider.lie({}, String(searchParams.get('nonce')))
      const before = String(first.split(';')[0])
      const end = await get(`/auth/callback?code=x&state=${searchParams.get('state')}`, before)
      expect([end.status, end.headers.get('location')]).toEqual([302, '/profile'])
      const [second = ''] = end.headers.getSetCookie()
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
