import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { createTokenEncryption } from '../../src/auth/encrypted-token.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { errorPageOf, startTab, throughEid } from '../support/sign-in-steps.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
})
afterAll(async () => test.stop())

const expired = [400, 'This sign-in is no longer valid', 'Sign in again']

function pendingOf(browser: Browser) {
  return browser.cookies().filter(({ name }) => name.startsWith('portal-sign-in-'))
}

/** Signs in as Kari from this page of the eID and returns the path that the browser ends at. */
async function finish(browser: Browser, at: URL): Promise<string> {
  const page = await browser.open((await throughEid(browser, at, 'Kari Nordmann')).href)
  return page.status === 200 ? page.url.pathname : page.$('h1').text()
}

describe('a pending sign-in', () => {
  it('is an encrypted, HttpOnly, short-lived cookie of the browser, and no row of the database', async () => {
    const browser = test.browser()
    const start = await browser.open('/login?returnTo=/profile', { follow: false })
    const { searchParams } = new URL(String(start.headers['location']))
    const plain = /^portal-sign-in-[\w-]+=eyJ[\w.-]+; Max-Age=900; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/
    expect(start.headers['set-cookie']).toEqual([expect.stringMatching(plain)])
    const [cookie] = pendingOf(browser)
    for (const part of String(cookie?.value).split('.'))
      expect(Buffer.from(part, 'base64url').toString()).not.toMatch(/profile|nonce|state|codeVerifier/)
    expect(JSON.stringify(cookie)).not.toContain(searchParams.get('state'))
    expect((await test.portal.database.pool.query('select from sessions')).rows).toEqual([])
    expect(
      (await test.portal.database.pool.query(`select from audit where event not in ('grant', 'revoke')`)).rows,
    ).toEqual([])
  })

  it('is removed from the browser by the sign-in, with those of other tabs', async () => {
    const browser = test.browser()
    const [first, second] = [await startTab(browser), await startTab(browser, '/login?returnTo=/profile')]
    expect(pendingOf(browser)).toHaveLength(2)
    expect(await finish(browser, second)).toBe('/profile')
    expect(pendingOf(browser)).toEqual([])
    expect(await finish(browser, first)).toBe('You are already signed in')
  })

  it('is kept when tabs start at the same time', async () => {
    const browser = test.browser()
    // The second tab asks before the browser has the cookie of the first.
    const [first, second] = await Promise.all([startTab(browser), startTab(browser, '/login?returnTo=/profile')])
    expect(pendingOf(browser)).toHaveLength(2)
    const cancelled = await throughEid(browser, first, 'Cancel')
    expect((await browser.open(cancelled.href)).$('h1').text()).toBe('You did not sign in')
    expect(await finish(browser, second)).toBe('/profile')
  })

  it('with a long path makes room by dropping the oldest, so that headers stay small', async () => {
    const browser = test.browser()
    const long = `/login?returnTo=/profile?${'x'.repeat(1900)}`
    const tabs = []
    for (let tab = 0; tab < 4; tab += 1) tabs.push(await startTab(browser, long))
    const length = pendingOf(browser).reduce((sum, { name, value }) => sum + name.length + value.length, 0)
    expect(length).toBeLessThan(6000)
    expect(await finish(browser, tabs[0] as URL)).toBe('This sign-in is no longer valid')
    expect(await finish(browser, tabs[3] as URL)).toBe('/profile')
  })

  it('works once, even with its cookie kept', async () => {
    const browser = test.browser()
    const at = await startTab(browser)
    const kept = pendingOf(browser)
    const answer = await throughEid(browser, at, 'Cancel')
    expect((await browser.open(answer.href)).$('h1').text()).toBe('You did not sign in')
    for (const { name, value } of kept) browser.plant(name, value)
    expect(errorPageOf(await browser.open(answer.href))).toEqual(expired)
  })

  it('works only in the browser that started it', async () => {
    const [own, other] = [test.browser(), test.browser()]
    const answer = await throughEid(own, await startTab(own), 'Kari Nordmann')
    await startTab(other)
    expect(errorPageOf(await other.open(answer.href))).toEqual(expired)
    expect((await own.open(answer.href)).status).toBe(200)
  })

  it.each([
    ['is too old', 15 * 60_000 + 1, 'pending sign-ins', expired],
    ['is encrypted for another purpose', 0, 'ID tokens in sessions', expired],
    ['is young enough', 14 * 60_000, 'pending sign-ins', [400, 'You did not sign in', 'Sign in again']],
  ] as const)(
    'that %s is judged by its content, not by the name of the cookie',
    async (_what, age, purpose, outcome) => {
      const browser = test.browser()
      await startTab(browser)
      const [cookie] = pendingOf(browser)
      const tokens = createTokenEncryption(['session-secret-of-the-tests-0123456789'], 'pending sign-ins')
      const pending = JSON.parse(String(await tokens.decrypt(String(cookie?.value)))) as { state: string }
      const forged = createTokenEncryption(['session-secret-of-the-tests-0123456789'], purpose)
      const changed = JSON.stringify({ ...pending, startedAt: Date.now() - age })
      browser.plant(String(cookie?.name), await forged.encrypt(changed))
      const query = new URLSearchParams({ error: 'access_denied', state: pending.state, iss: test.issuer })
      expect(errorPageOf(await browser.open(`/auth/callback?${query.toString()}`))).toEqual(outcome)
    },
  )
})
