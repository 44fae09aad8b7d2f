import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { wholeSiteMap } from '../support/every-route.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

/** Tokens in the URL or the body authenticate the others. */
const { servers, mailLinks, ...sections } = wholeSiteMap

const posts = Object.values(sections).flatMap(({ prefix, routes }) =>
  routes.flatMap(({ path, post }) => (post ? [prefix + path] : [])),
)
/** Kari has access to partner 12345. */
function addressOf(pattern: string): string {
  return pattern.replace(':partnerId', '12345').replace(/:\w+/g, 'x')
}

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
})
afterAll(async () => test.stop())

describe('every form', () => {
  it.each(posts)('%s is refused without the CSRF token of its session', async (pattern) => {
    const browser = await test.signedIn('Kari Nordmann')
    const other = await test.signedIn('Åse Bjørk')
    const foreign = String((await other.open('/profile')).$('input[name=_csrf]').first().val())
    for (const form of [{}, { _csrf: '' }, { _csrf: 'x' }, { _csrf: foreign }] as Record<string, string>[]) {
      const page = await browser.post(addressOf(pattern), form, { follow: false })
      expect([page.status, page.$('h1').text()]).toEqual([403, 'This form is no longer valid'])
    }
    const answer = await fetch(test.url + addressOf(pattern), {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: `portal=${browser.cookie('portal')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ _csrf: 'x' }),
    })
    expect(answer.status).toBe(403)
    expect((await browser.open('/profile')).url.pathname).toBe('/profile')
  })

  it('is covered but the routes that use no session', () => {
    expect(servers.routes.map(({ path }) => path)).toEqual(['/auth/backchannel-logout'])
    expect(mailLinks.routes.map(({ path }) => path)).toEqual(['/unsubscribe/:token'])
    expect(posts.length).toBeGreaterThanOrEqual(3)
  })
})
