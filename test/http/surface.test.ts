import { get } from 'node:http'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal()
})
afterAll(async () => test.stop())

const pages = [
  '/',
  '/profile',
  '/partners/12345/sales-units',
  '/no/such/page',
  '/partners/12345/sales-units/1',
]

describe('headers', () => {
  it('stand on every page, found or not, and allow nothing inline or foreign', async () => {
    const browser = await test.signedIn('Kari Nordmann')
    for (const path of pages) {
      const { headers } = await browser.open(path)
      const policy = headers['content-security-policy'] ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("script-src 'self';")
      expect(policy).toContain("style-src 'self';")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).toContain("base-uri 'none'")
      expect(policy).toContain(`form-action 'self' ${test.issuer}`)
      expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*/)
      expect(headers['cache-control']).toBe('no-store')
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('same-origin')
      expect(headers['permissions-policy']).toContain('camera=()')
      expect(headers['x-powered-by']).toBeUndefined()
      expect(headers['strict-transport-security']).toBeUndefined()
      expect(headers['x-request-id']).toMatch(/^[\da-f-]{36}$/)
    }
  })

  it('ask for https for ever where the portal has it', async () => {
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
  it('are kept for a year under an address that changes with them, and need no session', async () => {
    const { $ } = await test.browser().open('/')
    const addresses = $('link[href^="/assets"], script[src]')
      .toArray()
      .map((element) => $(element).attr('href') ?? $(element).attr('src') ?? '')
    expect(addresses.length).toBeGreaterThanOrEqual(5)
    for (const address of addresses) {
      const answer = await request(test.url).get(address)
      expect([address, answer.status]).toEqual([address, 200])
      expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable')
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
  })

  it('lead nowhere else', async () => {
    for (const path of [
      '/assets/../package.json',
      '/assets/%2e%2e/%2e%2e/package.json',
      '/css/portal.css',
      '/src/main.ts',
      '/.env',
    ]) {
      // Written by hand: clients tidy such a path before they send it.
      const status = await new Promise((resolve, reject) => {
        get({ host: '127.0.0.1', port: new URL(test.url).port, path }, (answer) =>
          resolve(answer.resume().statusCode),
        ).on('error', reject)
      })
      expect([path, status]).toEqual([path, 302])
    }
  })
})

it('has words even for what is no request', async () => {
  const long = await fetch(`${test.url}/?q=${'x'.repeat(20_000)}`)
  expect([long.status, await long.text()]).toEqual([
    431,
    'The address, or the cookies with it, are too long.\n',
  ])
})

describe('health', () => {
  it('tells the process and the readiness apart', async () => {
    expect((await request(test.url).get('/healthz')).body).toEqual({ status: 'ok' })
    expect((await request(test.url).get('/readyz')).body).toEqual({ status: 'ready' })
  })
})
