import { get } from 'node:http'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal()
})
afterAll(async () => test.stop())

/** All kinds of responses; each must have the security headers. */
const kinds: readonly (readonly [kind: string, status: number, ask: (cookie: string) => Promise<Response>])[] = (
  [
    ['the sign-in page', 200, '/', { cookie: '' }],
    ['a page of the user', 200, '/profile', {}],
    ['a page of an organisation', 200, '/partners/12345/sales-units', {}],
    ['an error page', 404, '/no/such/page', {}],
    ['a page without a grant', 404, '/partners/23456', {}],
    ['a redirect to the sign-in page', 302, '/select', { cookie: '' }],
    ['a redirect to the eID', 302, '/login', {}],
    ['an unsolicited callback', 400, '/auth/callback', { cookie: '' }],
    ['a form without its CSRF token', 403, '/logout', { method: 'POST' }],
    ['JSON', 200, '/session/ending', { accept: 'application/json' }],
    ['a server-to-server request', 400, '/auth/backchannel-logout', { method: 'POST', cookie: '' }],
    ['a liveness probe', 200, '/healthz', { cookie: '' }],
    ['a readiness probe', 200, '/readyz', { cookie: '' }],
  ] as [string, number, string, { cookie?: string; method?: string; accept?: string }][]
).map(([kind, status, path, { cookie: own, method = 'GET', accept = 'text/html' }]) => [
  kind,
  status,
  (cookie) => fetch(test.url + path, { method, redirect: 'manual', headers: { cookie: own ?? cookie, accept } }),
])

const onEveryResponse: Readonly<Record<string, RegExp>> = {
  'content-security-policy': /^default-src 'none';/,
  'x-content-type-options': /^nosniff$/,
  'x-frame-options': /^deny$/i,
  'referrer-policy': /^same-origin$/,
  'cross-origin-opener-policy': /^same-origin$/,
  'cross-origin-resource-policy': /^same-origin$/,
  'origin-agent-cluster': /^\?1$/,
  'permissions-policy': /camera=\(\).*geolocation=\(\).*microphone=\(\).*payment=\(\).*clipboard-write=\(self\)/,
  'x-request-id': /^[\da-f-]{36}$/,
}

function expectHeaders({ headers }: Response, cached: RegExp): void {
  for (const [name, value] of Object.entries(onEveryResponse))
    expect([name, headers.get(name)]).toEqual([name, expect.stringMatching(value)])
  expect(headers.get('cache-control')).toMatch(cached)
  for (const name of ['x-powered-by', 'strict-transport-security', 'server', 'etag', 'access-control-allow-origin'])
    expect([name, headers.get(name)]).toEqual([name, null])
}

describe('security headers', () => {
  let cookie: string
  beforeAll(async () => {
    cookie = `portal=${(await test.signedIn('Kari Nordmann')).cookie('portal')}`
  })

  it.each(kinds)('are set on %s (%i)', async (_kind, status, ask) => {
    const answer = await ask(cookie)
    expect(answer.status).toBe(status)
    expectHeaders(answer, /^no-store$/)
  })

  it('are set on a 429 response', async () => {
    await test.portal.database.pool.query('update rate_limits set points = 1000000')
    const answer = await fetch(`${test.url}/login`, { redirect: 'manual', headers: { cookie } })
    await test.portal.database.pool.query('delete from rate_limits')
    expect(answer.status).toBe(429)
    expectHeaders(answer, /^no-store$/)
  })

  it('are set on a static file', async () => {
    const { $ } = await test.browser().open('/')
    const answer = await fetch(test.url + String($('script[src]').attr('src')))
    const { headers } = answer
    expect([answer.status, headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable'])
    const needed = [
      'content-security-policy',
      'x-content-type-options',
      'x-frame-options',
      'referrer-policy',
      'cross-origin-resource-policy',
    ]
    for (const name of needed)
      expect([name, headers.get(name)]).toEqual([name, expect.stringMatching(onEveryResponse[name] ?? '')])
    // Only documents have it, because it is long.
    expect(headers.get('permissions-policy')).toBeNull()
  })

  it('allow no inline or foreign content, one Trusted Types policy, and the eID as form target', async () => {
    const policy = String((await fetch(test.url)).headers.get('content-security-policy')).split(';')
    expect(policy).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      "font-src 'self'",
      "connect-src 'self'",
      `form-action 'self' ${test.issuer}`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types portal-page',
    ])
  })

  it('include HSTS when PORTAL_URL is https', async () => {
    const secure = await startTestPortal({ env: { PORTAL_URL: 'https://portal.example.com' } })
    try {
      const { headers } = await secure.browser().open('/')
      expect(headers['strict-transport-security']).toContain('max-age=31536000')
      expect(headers['content-security-policy']).toContain('upgrade-insecure-requests')
    } finally {
      await secure.stop()
    }
  })
})

describe('static files', () => {
  it('are cached for a year under versioned URLs, without a session', async () => {
    const { $ } = await test.browser().open('/')
    const addresses = $('link[href^="/assets"], script[src]')
      .toArray()
      .map((element) => $(element).attr('href') ?? $(element).attr('src') ?? '')
    expect(addresses.length).toBeGreaterThanOrEqual(4)
    for (const address of addresses) {
      const answer = await request(test.url).get(address)
      expect([address, answer.status]).toEqual([address, 200])
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable')
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
  })

  it('of another version of the portal are answered with our own, which no cache keeps', async () => {
    const { $ } = await test.browser().open('/')
    const own = String($('link[rel=stylesheet]').attr('href'))
    const [current, other] = await Promise.all(
      [own, own.replace(/^\/assets\/[^/]+/, '/assets/aB3_-xyz90')].map((path) => request(test.url).get(path)),
    )
    expect([other?.status, other?.text, other?.headers['content-type']]).toEqual([
      200,
      current?.text,
      current?.headers['content-type'],
    ])
    expect(other?.headers['cache-control']).toBe('no-store')
    const missing = await request(test.url).get('/assets/aB3_-xyz90/js/only-there.js')
    expect([missing.status, missing.headers['cache-control'], missing.text]).toEqual([404, 'no-store', 'Not found\n'])
  })

  it('are served only from the asset directories', async () => {
    for (const path of [
      '/assets/../package.json',
      '/assets/%2e%2e/%2e%2e/package.json',
      '/css/portal.css',
      '/src/main.ts',
      '/.env',
    ]) {
      // fetch would normalise these paths before it sends them.
      const status = await new Promise((resolve, reject) => {
        get({ host: '127.0.0.1', port: new URL(test.url).port, path }, (answer) =>
          resolve(answer.resume().statusCode),
        ).on('error', reject)
      })
      expect([path, status]).toEqual([path, 302])
    }
  })
})

it('an oversized request line is answered with 431 and an explanation', async () => {
  const long = await fetch(`${test.url}/?q=${'x'.repeat(20_000)}`)
  expect([long.status, await long.text()]).toEqual([431, 'The address, or the cookies with it, are too long.\n'])
})

describe('health', () => {
  it('keeps idle connections longer than proxies do', async () => {
    const { headers } = await request(test.url).get('/healthz').set('Connection', 'keep-alive')
    expect(headers['keep-alive']).toBe('timeout=80')
  })

  it('has separate liveness and readiness checks', async () => {
    expect((await request(test.url).get('/healthz')).body).toEqual({ status: 'ok' })
    expect((await request(test.url).get('/readyz')).body).toEqual({ status: 'ready' })
  })
})
