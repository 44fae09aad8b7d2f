import express from 'express'
import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientAddress } from '../../src/http/client-address.ts'
import { type FaultyProvider, startFaultyProvider } from '../support/faulty-provider.ts'
import { type PortalOf, startPortalOf } from '../support/portal-of.ts'
import { signInAs } from '../support/verify-email-steps.ts'

/** The address that a portal with this TRUST_PROXY sees for this X-Forwarded-For. */
async function seen(trustProxy: string | number | false, forwarded: string): Promise<string> {
  const app = express().set('trust proxy', trustProxy).use(clientAddress)
  app.get('/', (req, res) => res.json(req.ip))
  return (await request(app).get('/').set('X-Forwarded-For', forwarded)).body as string
}

describe('the client address', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:DB8:0:0::1]', '2001:db8::1'],
    ['"[2001:db8::1]:443"', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::ffff:cb00:7109', '203.0.113.9'],
    ['[::ffff:203.0.113.9]:4711', '203.0.113.9'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:443', 'fe80::1'],
    ['192.0.2.66, 203.0.113.9:4711', '203.0.113.9'],
    // No address is left: the proxy's own counts.
    ['unknown', '127.0.0.1'],
    ['_hidden:4711', '127.0.0.1'],
    ['192.0.2.66, unknown', '127.0.0.1'],
    ['203.0.113.999', '127.0.0.1'],
    ['portal.example:443', '127.0.0.1'],
    ['', '127.0.0.1'],
    [',', '127.0.0.1'],
  ])('for X-Forwarded-For %j from one proxy is %s', async (forwarded, address) => {
    expect([await seen(1, forwarded), await seen('loopback', forwarded)]).toEqual([address, address])
  })

  it('recognises a trusted proxy that is named with its port', async () => {
    expect(await seen('loopback, 10.0.0.0/8', '192.0.2.66, 203.0.113.9:4711, 10.0.0.7:8080')).toBe('203.0.113.9')
    expect(await seen(2, '192.0.2.66, 203.0.113.9:4711, 10.0.0.7:8080')).toBe('203.0.113.9')
  })

  it('is the socket’s without a trusted proxy', async () => {
    expect(await seen(false, '203.0.113.9:4711')).toBe('127.0.0.1')
  })
})

describe('behind a proxy that writes ports', () => {
  let provider: FaultyProvider
  let portal: PortalOf
  beforeAll(async () => {
    provider = await startFaultyProvider()
    portal = await startPortalOf(provider.issuer, { env: { TRUST_PROXY: '1' } })
  })
  afterAll(async () => {
    await portal.stop()
    await provider.stop()
  })

  it('all requests of a client count together', async () => {
    const statuses = new Set<number>()
    for (let port = 1024; port < 1024 + 301; port += 1) {
      const headers = { 'X-Forwarded-For': `203.0.113.9:${port}` }
      statuses.add((await fetch(`${portal.url}/login`, { redirect: 'manual', headers })).status)
    }
    expect([...statuses]).toEqual([302, 429])
  })

  it('the audit log and the list of sessions have the truncated address', async () => {
    const browser = portal.browser().with({ 'X-Forwarded-For': '[2001:db8:1:2::9]:4711' })
    await signInAs({ portal, provider }, { sub: 'ported', email_verified: true }, { browser })
    const { rows } = await portal.database.pool.query(`
      select a.address as audited, s.address as session from audit a, sessions s where a.event = 'sign-in'`)
    expect(rows).toEqual([{ audited: '2001:db8:1::/48', session: '2001:db8:1::/48' }])
  })
})
