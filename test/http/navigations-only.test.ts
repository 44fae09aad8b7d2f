import { request as send } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { everyRoute, wholeSiteMap } from '../support/every-route.ts'
import { linesOf } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { errorPageOf, startTab, throughEid } from '../support/sign-in-steps.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }), synced: false })
})
afterAll(async () => test.stop())
beforeEach(async () => {
  await test.portal.database.pool.query('delete from rate_limits')
})

const navigation = { 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' }
const image = { 'Sec-Fetch-Dest': 'image', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Site': 'cross-site' }

/** Requests this path with these headers, without the ones that Node's fetch adds. */
function statusOf(method: string, path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    send(test.url + path, { method, headers }, (answer) => resolve(answer.resume().statusCode))
      .on('error', reject)
      .end()
  })
}

describe('a route that begins or ends a sign-in', () => {
  const marked = Object.values(wholeSiteMap)
    .flatMap(({ routes }) => routes)
    .flatMap(({ path, navigationOnly }) => (navigationOnly ? [path] : []))
  const guarded = everyRoute().filter(({ path }) => marked.includes(path))

  it('is marked in the site map', () => {
    expect(marked.toSorted()).toEqual([
      '/auth/callback',
      '/login',
      '/logout',
      '/profile/sessions/revoke',
      '/verify-email',
      '/verify-email/code',
      '/verify-email/resend',
    ])
  })

  it.each(guarded)('refuses what another page requests in the background: $method $path', async ({ method, path }) => {
    const refused: Record<string, string>[] = [
      image,
      ...['script', 'style', 'iframe', 'frame', 'object', 'embed', 'empty', 'serviceworker', 'unknown'].map((dest) => ({
        ...navigation,
        'Sec-Fetch-Dest': dest,
      })),
      ...['no-cors', 'cors', 'same-origin', 'websocket'].map((mode) => ({ ...navigation, 'Sec-Fetch-Mode': mode })),
      { 'Sec-Fetch-Dest': 'document' },
      { ...navigation, 'Sec-Purpose': 'prefetch' },
      { ...navigation, 'Sec-Purpose': 'prefetch;prerender' },
      { Purpose: 'prefetch' },
    ]
    for (const headers of refused)
      for (const variant of [path, `${path}/`, path.toUpperCase(), `${path}?x=y`])
        expect([headers, variant, await statusOf(method, variant, headers)]).toEqual([headers, variant, 403])
  })

  it.each(guarded)('answers navigations, and browsers that do not say: $method $path', async ({ method, path }) => {
    const cookie = `portal=${(await test.signedIn('Kari Nordmann')).cookie('portal')}`
    const withoutHeaders = await statusOf(method, path, { cookie })
    expect(await statusOf(method, path, { cookie, ...navigation })).toBe(withoutHeaders)
    // A form without its token is refused with 403, too; the page says why.
    expect(withoutHeaders === 403).toBe(method === 'POST')
  })

  it('says in words why it refuses', async () => {
    const page = await test.browser().open('/login', { headers: image })
    expect(errorPageOf(page)).toEqual([403, 'Open this page in a window of its own', 'Go to the home page'])
  })
})

it('an image on another page neither locks an office out nor leaves a cookie or an audit entry', async () => {
  const browser = test.browser()
  const audits = () => linesOf(test.log()).filter(({ msg }) => msg === 'audit').length
  const before = audits()
  for (let count = 0; count < 320; count += 1)
    expect((await browser.open('/login', { follow: false, headers: image })).status).toBe(403)
  expect([browser.cookies(), audits()]).toEqual([[], before])
  expect((await test.portal.database.pool.query('select from rate_limits')).rows).toEqual([])
  expect((await browser.open('/login', { follow: false, headers: navigation })).status).toBe(302)
})

it('a prefetch of the callback does not use up the sign-in', async () => {
  const browser = test.browser()
  const answer = await throughEid(browser, await startTab(browser, '/login?returnTo=/profile'), 'Kari Nordmann')
  const prefetched = await browser.open(answer.href, { headers: { ...navigation, 'Sec-Purpose': 'prefetch' } })
  expect(prefetched.status).toBe(403)
  const page = await browser.open(answer.href, { headers: navigation })
  expect([page.status, page.url.pathname]).toEqual([200, '/profile'])
})
