import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let kari: Browser
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal({ env: { ANONYMOUS_REQUESTS_PER_SECOND: '100' } })
  ;[kari, åse] = [await test.signedIn('Kari Nordmann'), await test.signedIn('Åse Bjørk')]
})
afterAll(async () => test.stop())

/** Sends this many requests at once, and returns the responses over the limit. */
async function refusedOf(path: string, headers: Record<string, string> = {}): Promise<Response[]> {
  const all = Array.from({ length: 400 }, async () => fetch(test.url + path, { redirect: 'manual', headers }))
  return (await Promise.all(all)).filter(({ status }) => status === 429)
}

it.each([
  ['without a cookie', {}],
  ['with a cookie that the portal never gave', { Cookie: 'portal=s%3Amade-up.signature' }],
])(
  'many requests %s are refused in words, whatever their addresses',
  async (_what, headers: Record<string, string>) => {
    const [first] = await refusedOf('/no-such-page', headers)
    expect(first?.headers.get('retry-after')).toBe('5')
    expect(await first?.text()).toMatch(
      /^Too many requests are reaching the portal right now\. Try again in a moment\.\n$/,
    )
    expect(test.log()).toContain('requests refused: flood')
    expect((await kari.open('/partners/12345')).status).toBe(200)
  },
)

it('more than 24 requests of a session at once are refused after one to five seconds, and not those of others', async () => {
  const began = performance.now()
  const headers = { Cookie: `portal=${åse.cookie('portal')}` }
  const times = await Promise.all(
    Array.from({ length: 400 }, async () => {
      const { status } = await fetch(`${test.url}/partners/12345`, { headers })
      return { status, tookMs: performance.now() - began }
    }),
  )
  const refused = times.filter(({ status, tookMs }) => status === 429 && tookMs > 990)
  expect(refused.length).toBeGreaterThan(200)
  // They do not come at once, and ask again at once.
  expect(new Set(refused.map(({ tookMs }) => Math.floor(tookMs / 500))).size).toBeGreaterThan(4)
  expect((await kari.open('/partners/12345')).status).toBe(200)
  await expect.poll(async () => (await åse.open('/partners/12345')).status).toBe(200)
})

it.each(['/readyz', '/healthz', '/favicon.svg'])('%s is not counted', async (path) => {
  expect(await refusedOf(path)).toEqual([])
})
