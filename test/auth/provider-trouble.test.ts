import { afterAll, beforeAll, expect, it } from 'vitest'
import { answers, type ProviderFaults, type FaultyProvider, startFaultyProvider } from '../support/faulty-provider.ts'
import { type PortalOf, startPortalOf } from '../support/portal-of.ts'
import { errorPageOf, startTab } from '../support/sign-in-steps.ts'

let provider: FaultyProvider
let portal: PortalOf
beforeAll(async () => {
  provider = await startFaultyProvider()
  portal = await startPortalOf(provider.issuer)
})
afterAll(async () => {
  await portal.stop()
  await provider.stop()
})

it('a callback that is reloaded during a slow sign-in uses the code once and signs the user in both times', async () => {
  const browser = portal.browser()
  const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
  const asked = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  let calls = 0
  const slow: ProviderFaults = {
    answer: {
      userinfo: (res) => {
        calls += 1
        asked.resolve()
        void release.promise.then(() => answers(200, { sub: 'some-user' })(res))
      },
    },
  }
  provider.setFaults(slow, String(searchParams.get('nonce')))
  const callback = `/auth/callback?code=x&state=${searchParams.get('state')}`
  const first = browser.open(callback)
  await asked.promise
  const again = browser.open(callback)
  release.resolve()
  expect((await again).url.pathname).toBe('/profile')
  expect((await first).url.pathname).toBe('/profile')
  expect((await browser.open('/profile')).url.pathname).toBe('/profile')
  expect(calls).toBe(1)
})

it('a sign-in that fails in one tab leaves the session of another tab alone', async () => {
  const browser = portal.browser()
  const [slow, fast] = [await startTab(browser), await startTab(browser)]
  const asked = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const token500: ProviderFaults = {
    answer: {
      token: (res) => {
        asked.resolve()
        void release.promise.then(() => answers(500, {})(res))
      },
    },
  }
  provider.setFaults(token500)
  const failing = browser.open(`/auth/callback?code=x&state=${slow.searchParams.get('state')}`)
  await asked.promise
  provider.setFaults({}, String(fast.searchParams.get('nonce')))
  const won = await browser.open(`/auth/callback?code=x&state=${fast.searchParams.get('state')}`)
  expect(won.words).toContain('The portal has no businesses yet')
  release.resolve()
  expect(errorPageOf(await failing)).toEqual([503, 'The eID service is not responding', 'Try again'])
  expect((await browser.open('/profile')).words).toContain('some.body@example.com')
})

it('a database error during sign-in shows the 500 page, not an eID error', async () => {
  await portal.database.pool.query('alter table users rename column issuer to gone')
  try {
    const browser = portal.browser()
    const { searchParams } = await startTab(browser)
    provider.setFaults({}, String(searchParams.get('nonce')))
    const page = await browser.open(`/auth/callback?code=x&state=${searchParams.get('state')}`)
    expect(errorPageOf(page)).toEqual([500, 'Something went wrong on our side', 'Try again'])
  } finally {
    await portal.database.pool.query('alter table users rename column gone to issuer')
  }
})
