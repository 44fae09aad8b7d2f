import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { findUser } from '../../src/store/users.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { buttonOf, errorPageOf, startTab, throughEid } from '../support/sign-in-steps.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({
    world: createDemoWorld({ salesUnits: 1 }),
    env: { OIDC_ACR_VALUES: 'urn:example:high' },
  })
})
afterAll(async () => test.stop())

describe('GET /login', () => {
  it('redirects to the eID with PKCE S256, state, nonce and the configured parameters', async () => {
    const at = await startTab(test.browser())
    expect(at.origin).toBe(test.issuer)
    expect(Object.fromEntries(at.searchParams)).toEqual({
      client_id: 'portal',
      response_type: 'code',
      redirect_uri: `${test.url}/auth/callback`,
      scope: 'openid profile email',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      ui_locales: 'en',
      acr_values: 'urn:example:high',
    })
  })

  it('creates a new state, nonce and challenge each time', async () => {
    const browser = test.browser()
    const [one, two] = [await startTab(browser), await startTab(browser)]
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(one.searchParams.get(name)).not.toBe(two.searchParams.get(name))
  })

  it('sends the user’s language, and ignores Host and X-Forwarded-Host in redirect_uri', async () => {
    const headers = { 'accept-language': 'nb', host: 'evil.example', 'x-forwarded-host': 'evil.example' }
    const page = await test.browser().open('/login', { follow: false, headers })
    const { searchParams } = new URL(String(page.headers['location']))
    expect(searchParams.get('ui_locales')).toBe('nb')
    expect(searchParams.get('redirect_uri')).toBe(`${test.url}/auth/callback`)
  })
})

describe('after sign-in', () => {
  it.each([
    ['/login?returnTo=%2Fprofile%3Fa%3Db%2526c', '/profile?a=b%26c'],
    ['/login?returnTo=/partners/12345/price-packages', '/partners/12345/price-packages'],
    ['/login', '/partners/12345'],
    ['/login?returnTo=//evil.example', '/partners/12345'],
    ['/login?returnTo=/%5Cevil.example', '/partners/12345'],
    ['/login?returnTo=/.//evil.example', '/partners/12345'],
    ['/login?returnTo=/%09/evil.example', '/partners/12345'],
    ['/login?returnTo=https://evil.example', '/partners/12345'],
    ['/login?returnTo=javascript:alert(1)', '/partners/12345'],
    ['/login?returnTo=/profile&returnTo=//evil.example', '/partners/12345'],
    ['/login?returnTo[]=//evil.example', '/partners/12345'],
    ['/login?returnTo=/profile%0d%0aSet-Cookie:a=b', '/partners/12345'],
    ['/login?returnTo=/login', '/partners/12345'],
  ])('%s ends at %s', async (start, end) => {
    const browser = test.browser()
    await browser.open(start)
    const page = await browser.press('Kari Nordmann')
    expect(page.url.href).toBe(test.url + end)
    expect(page.status).toBe(200)
  })

  it('finds the existing user and updates name and address from the eID', async () => {
    const id = test.userId('Mikko Mäkinen')
    expect(await findUser(test.portal.database.kysely, id)).toBeUndefined()
    await test.signedIn('Mikko Mäkinen')
    const first = await findUser(test.portal.database.kysely, id)
    expect(first).toMatchObject({
      issuer: test.issuer,
      subject: 'm5t0z6yh',
      name: 'Mikko Mäkinen',
      email: 'mikko.makinen@saimaansauna.example',
    })
    await test.portal.database.kysely.updateTable('users').set({ name: 'Old', email: null }).execute()
    await test.signedIn('Mikko Mäkinen')
    const second = await findUser(test.portal.database.kysely, id)
    expect(second).toMatchObject({ name: first?.name, email: first?.email })
    expect(second?.firstSignedInAt).toEqual(first?.firstSignedInAt)
    expect(second?.lastSignedInAt.getTime()).toBeGreaterThan(first?.lastSignedInAt.getTime() ?? Infinity)
  })
})

describe('two tabs', () => {
  it.each([
    ['the first', 0],
    ['the second', 1],
  ])('%s signs in, the other one says that the user is signed in already', async (_name, winner) => {
    const browser = test.browser()
    const tabs = [await startTab(browser, '/login?returnTo=/profile'), await startTab(browser)]
    const answers = []
    for (const tab of tabs) answers.push(await throughEid(browser, tab, 'Kari Nordmann'))
    const won = await browser.open(String(answers[winner]))
    expect([won.status, won.url.pathname]).toEqual([200, winner === 0 ? '/profile' : '/partners/12345'])

    const lost = await browser.open(String(answers[1 - winner]))
    expect(errorPageOf(lost)).toEqual([400, 'You are already signed in', 'Continue'])
    expect(buttonOf(lost)).toBe('/select')
    const next = await browser.follow('Continue')
    expect([next.status, next.url.pathname]).toEqual([200, '/partners/12345'])
  })

  it('the first signs in after the second was cancelled', async () => {
    const browser = test.browser()
    const [first, second] = [await startTab(browser), await startTab(browser)]
    await browser.open(String(await throughEid(browser, second, 'Cancel')))
    const page = await browser.open(String(await throughEid(browser, first, 'Kari Nordmann')))
    expect([page.status, page.url.pathname]).toEqual([200, '/partners/12345'])
  })

  it('five sign-ins can be pending; the sixth discards the oldest', async () => {
    const browser = test.browser()
    const tabs = []
    for (let tab = 0; tab < 6; tab += 1) tabs.push(await startTab(browser))
    const [oldest, next] = tabs as [URL, URL]
    const page = await browser.open(String(await throughEid(browser, oldest, 'Kari Nordmann')))
    expect(errorPageOf(page)).toEqual([400, 'This sign-in is no longer valid', 'Sign in again'])
    const other = await browser.open(String(await throughEid(browser, next, 'Kari Nordmann')))
    expect(other.url.pathname).toBe('/partners/12345')
  })
})

/** The text of /profile in a browser with this cookie. */
async function profileTextWith(cookie: string | undefined): Promise<string> {
  const browser = test.browser()
  browser.plant('portal', String(cookie))
  return (await browser.open('/profile')).words
}

describe('signing out', () => {
  it('ends the portal session and the eID session, and leads to the sign-in page', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const cookie = browser.cookie('portal')
    await browser.open('/profile')
    const atEid = await browser.press('Sign out')
    expect(atEid.url.origin).toBe(test.issuer)
    const { searchParams } = atEid.url
    expect(searchParams.get('post_logout_redirect_uri')).toBe(`${test.url}/`)
    expect(searchParams.get('id_token_hint')).toMatch(/^eyJ/)
    const end = await browser.press('Continue')
    expect(end.url.href).toBe(`${test.url}/`)
    expect(end.words).toContain('Sign in with eID')
    expect(browser.cookie('portal')).not.toBe(cookie)
    expect(await profileTextWith(cookie)).toContain('Sign in with eID')
    expect((await browser.open('/profile')).words).toContain('Sign in with eID')

    const next = await browser.open((await startTab(browser)).href)
    expect([next.status, next.$('h1').text()]).toEqual([200, 'Demo eID'])
    expect((await browser.press('Åse Bjørk')).$('header').text()).toContain('Åse Bjørk')
  })

  it('answers 404 to GET', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    expect(errorPageOf(await browser.open('/logout'))).toEqual([404, 'Page not found', 'Go to the home page'])
    expect((await browser.open('/profile')).status).toBe(200)
  })

  it('requires the CSRF token of this session', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const other = await test.signedIn('Åse Bjørk')
    const token = String((await other.open('/profile')).$('input[name=_csrf]').val())
    expect(token.length).toBeGreaterThan(40)
    const forms: Record<string, string>[] = [
      {},
      { _csrf: '' },
      { _csrf: 'wrong' },
      { _csrf: token },
      { '_csrf[]': token },
    ]
    for (const form of forms) {
      const page = await browser.post('/logout', form, { follow: false })
      expect(errorPageOf(page)).toEqual([403, 'This form is no longer valid', 'Go to the home page'])
    }
    const own = String((await browser.open('/profile')).$('input[name=_csrf]').val())
    const inQuery = await browser.post(`/logout?_csrf=${own}`, {}, { follow: false })
    expect(inQuery.status).toBe(403)
    expect((await browser.open('/profile')).words).toContain('kari.nordmann@nordlys.example')
  })

  it('refuses the CSRF token of a previous session', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const token = async () => String((await browser.open('/profile')).$('input[name=_csrf]').val())
    const before = await token()
    // The token is masked differently in every page, and each of them is valid.
    expect(await token()).not.toBe(before)
    const withOld = async () => browser.post('/profile/sessions/revoke', { _csrf: before, session: 'others' })
    expect((await withOld()).status).toBe(200)
    await browser.open('/login')
    expect((await withOld()).words).toContain('This form is no longer valid')
  })

  it('leads to the sign-in page when the session has already ended', async () => {
    const page = await test.browser().post('/logout', { _csrf: 'old' })
    expect([page.status, page.url.href]).toEqual([200, `${test.url}/`])
  })

  it('ends the portal session even while the eID is down', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    const cookie = browser.cookie('portal')
    await browser.open('/profile')
    test.eidServer.close()
    test.eidServer.closeAllConnections()
    const page = await browser.press('Sign out', { until: '/session/end' })
    expect(page.status).toBe(302)
    expect(await profileTextWith(cookie)).toContain('Sign in with eID')
    expect((await browser.open('/profile')).words).toContain('Sign in with eID')
  })
})
