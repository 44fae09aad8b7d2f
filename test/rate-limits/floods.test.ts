import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  test = await startTestPortal({ env: { ANONYMOUS_REQUESTS_PER_SECOND: '100' } })
  kari = await test.signedIn('Kari Nordmann')
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

it.each(['/readyz', '/healthz', '/favicon.svg'])('%s is not counted', async (path) => {
  expect(await refusedOf(path)).toEqual([])
})
