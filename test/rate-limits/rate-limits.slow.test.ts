import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'

import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type PortalOf, startPortalOf } from '../support/portal-of.ts'
import { errorPageOf, startTab } from '../support/sign-in-steps.ts'
import { clientNetwork } from '../../src/http/client-network.ts'
import { rules } from '../../src/rate-limits/rules.ts'
import { until } from '../support/until.ts'
import type { Database } from '../../src/store/database.ts'
import type { Browser } from '../support/browser.ts'
import { linesOf } from '../support/page-content.ts'
import { openTestDatabase } from '../support/database.ts'
import { type FaultyProvider, startFaultyProvider } from '../support/faulty-provider.ts'

let provider: FaultyProvider
let database: Database
const portals: PortalOf[] = []
// The client address is taken from X-Forwarded-For, so that each test can use its own addresses.
async function startInstance(): Promise<PortalOf> {
  const portal = await startPortalOf(provider.issuer, { database, env: { TRUST_PROXY: 'loopback' } })
  portals.push(portal)
  return portal
}
beforeAll(async () => {
  provider = await startFaultyProvider()
  database = await openTestDatabase()
})
afterAll(async () => {
  for (const portal of portals) await portal.stop()
  await provider.stop()
  await database.close()
})
beforeEach(async () => {
  await database.pool.query('delete from rate_limits')
  await database.pool.query(`delete from sessions`)
  await database.kysely.transaction().execute(async (db) => {
    await sql`select set_config('portal.audit_retention', 'on', true)`.execute(db)
    await sql`delete from audit`.execute(db)
  })
})

function ask(url: string, address: string, headers: Record<string, string> = {}) {
  return fetch(url, { redirect: 'manual', headers: { 'X-Forwarded-For': address, ...headers } })
}

/** Sends this many requests from one address and counts the statuses. */
async function countStatuses(count: number, url: string, address: string, headers?: Record<string, string>) {
  const statuses: Record<number, number> = {}
  for (let done = 0; done < count; done += 20) {
    const batch = Array.from({ length: Math.min(20, count - done) }, () => ask(url, address, headers))
    for (const { status } of await Promise.all(batch)) statuses[status] = (statuses[status] ?? 0) + 1
  }
  return statuses
}

async function signedIn(portal: PortalOf, sub: string): Promise<Browser> {
  const browser = portal.browser()
  const { searchParams } = await startTab(browser, '/login?returnTo=/profile')
  provider.setFaults({ claims: { sub }, userinfo: { sub } }, String(searchParams.get('nonce')))
  await browser.open(`/auth/callback?code=code&state=${searchParams.get('state')}`)
  return browser
}

describe('the limit of an address', () => {
  it('answers 429 with Retry-After on all instances, and does not affect other addresses', async () => {
    const [one, two] = [await startInstance(), await startInstance()]
    expect(await countStatuses(200, `${one.url}/auth/callback`, '192.0.2.1')).toEqual({ 400: 200 })
    expect(await countStatuses(101, `${two.url}/auth/callback`, '192.0.2.1')).toEqual({ 400: 100, 429: 1 })
    for (const { url } of [one, two]) {
      const answer = await ask(`${url}/auth/callback`, '192.0.2.1', { 'accept-language': 'en' })
      const wait = Number(answer.headers.get('retry-after'))
      expect([answer.status, wait > 0 && wait <= 300]).toEqual([429, true])
      expect(await answer.text()).toContain('You can try again in 5 minutes')
      expect(answer.headers.get('cache-control')).toBe('no-store')
    }
    for (const path of ['/AUTH/CALLBACK', '/auth/callback/', '/Auth/Callback/?x'])
      expect([path, (await ask(one.url + path, '192.0.2.1')).status]).toEqual([path, 429])
    expect((await ask(`${one.url}/auth/callback`, '192.0.2.2')).status).toBe(400)
    expect((await ask(`${one.url}/login`, '192.0.2.1')).status).toBe(302)
    const audited = linesOf(two.log()).filter(
      ({ audit }) => (audit as { event?: string })?.event === 'too many requests',
    )
    expect(audited.map(({ audit }) => audit)).toEqual([
      { event: 'too many requests', limit: 'callback, address', address: '192.0.2.0/24' },
    ])
    // Strangers could fill the table.
    expect((await database.pool.query('select from audit')).rows).toEqual([])
  })

  it('is stored without the address, and only when the address has sent a tenth of it', async () => {
    const portal = await startInstance()
    const stored = async () => (await database.pool.query('select key, points from rate_limits')).rows
    await countStatuses(30, `${portal.url}/login`, '192.0.2.77')
    expect(await stored()).toEqual([])
    await ask(`${portal.url}/login`, '192.0.2.77')
    expect(await stored()).toEqual([{ key: expect.stringMatching(/^login:address:[\w-]{43}$/), points: 31 }])
  })

  it('holds for an IPv6 /48, whatever its /64s', async () => {
    const portal = await startInstance()
    const statuses: number[] = []
    for (let subnet = 0; subnet < 1201; subnet += 1)
      statuses.push((await ask(`${portal.url}/auth/callback`, `2001:db8:1:${subnet.toString(16)}::1`)).status)
    expect([statuses.indexOf(429), statuses.length]).toEqual([1200, 1201])
    expect((await ask(`${portal.url}/auth/callback`, '2001:db8:2::1')).status).toBe(400)
  }, 60_000)

  it('holds for all addresses together; one address over its own limit takes nothing of it', async () => {
    const portal = await startInstance()
    const url = `${portal.url}/auth/callback`
    expect(await countStatuses(900, url, '192.0.2.8')).toEqual({ 400: 300, 429: 600 })
    let refused = 0
    for (let done = 0; done < 5700; done += 50) {
      const batch = Array.from({ length: 50 }, (_, nth) => ask(url, `10.1.${done / 50}.${nth}`))
      refused += (await Promise.all(batch)).filter(({ status }) => status === 429).length
    }
    expect(refused).toBe(0)
    expect((await ask(url, '10.2.0.1')).status).toBe(429)
    expect((await ask(`${portal.url}/`, '10.2.0.1')).status).toBe(200)
    // Neither their number nor their refusals cost a row each.
    const { rows } = await database.pool.query('select from rate_limits')
    expect(rows).toHaveLength(1)
    expect((await database.pool.query('select from audit')).rows).toEqual([])
  }, 120_000)

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:DB8:0001:2::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['unknown', 'unknown'],
  ])('groups %s as %s', (address, counted) => {
    expect(clientNetwork(address)).toBe(counted)
  })

  it.each([
    ['/login', 'GET', 300],
    ['/auth/backchannel-logout', 'POST', 1200],
    ['/verify-email', 'POST', 100],
    ['/verify-email/code', 'POST', 100],
  ])('for %s (%s) is separate: %i', async (path, method, most) => {
    const portal = await startInstance()
    const headers = { 'X-Forwarded-For': '192.0.2.3' }
    const send = () => fetch(portal.url + path, { method, redirect: 'manual', headers })
    for (let count = 0; count <= most / 10; count += 1) expect((await send()).status).not.toBe(429)
    await database.pool.query('update rate_limits set points = $1', [most])
    const answer = await send()
    expect([answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect(await answer.text()).toMatch(path.startsWith('/auth/') ? /too_many_requests/ : /Too many requests/)
  })
})

describe('another spelling of a path', () => {
  it.each(rules.map((rule) => [rule.name, rule] as const))('is counted when it is routed: %s', async (name, rule) => {
    const portal = await startInstance()
    const browser = await signedIn(portal, `speller of ${name}`)
    const { path, method = path.endsWith('logout') ? 'POST' : 'GET' } = rule
    const headers = { Cookie: `portal=${browser.cookie('portal')}` }
    const isRouted = async (spelling: string): Promise<boolean> => {
      const lines = portal.log().split('\n').length
      const call = request(portal.url, { path: spelling, method, headers }).end()
      const [answer] = (await once(call, 'response')) as [IncomingMessage]
      answer.resume()
      const line = /"route":"(?!none)[^"]*","status".*"msg":"request"/
      const ended = /"msg":"request"/
      await until(() =>
        ended.test(
          portal
            .log()
            .split('\n')
            .slice(lines - 1)
            .join('\n'),
        ),
      )
      return line.test(
        portal
          .log()
          .split('\n')
          .slice(lines - 1)
          .join('\n'),
      )
    }
    const points = async (): Promise<number> => {
      const { rows } = await database.pool.query<{ points: number }>(
        `select coalesce(sum(points), 0)::int as points from rate_limits where key like $1`,
        [`${name}:address:%`],
      )
      return rows[0]?.points ?? 0
    }
    // The database counts from a tenth of the limit on.
    for (let sent = 0; sent <= rule.address.most / 10; sent += 1) await isRouted(path)
    const letter = path.charCodeAt(1).toString(16)
    const routed: string[] = []
    for (const spelling of [
      path,
      `${path}/`,
      path.toUpperCase(),
      `${path.toUpperCase()}/?x=.csv`,
      `http://portal.example${path}/`,
      `/${path}`,
      `${path}//`,
      `${path};x`,
      `${path}/.`,
      `/.${path}`,
      `/%${letter}${path.slice(2)}`,
      `${path}%2F`,
      `${path}%20`,
    ]) {
      const before = await points()
      if (!(await isRouted(spelling))) continue
      routed.push(spelling)
      expect([spelling, await points()]).toEqual([spelling, before + 1])
    }
    expect(routed.slice(0, 4)).toEqual([path, `${path}/`, path.toUpperCase(), `${path.toUpperCase()}/?x=.csv`])
  })
})

describe('the limit of a user', () => {
  it('is 600 requests a minute from any address, background requests included', async () => {
    const portal = await startInstance()
    const browser = await signedIn(portal, 'busy')
    const other = await signedIn(portal, 'quiet')
    const cookie = `portal=${browser.cookie('portal')}`
    const headers = { cookie, Accept: 'application/json', 'X-Background': '1' }
    const url = `${portal.url}/session/ending`
    expect(Object.keys(await countStatuses(560, url, '192.0.2.4', headers))).toEqual(['200'])
    expect(await countStatuses(80, url, '192.0.2.5', headers)).toHaveProperty('429')
    const answer = await ask(url, '192.0.2.6', headers)
    expect([answer.status, Number(answer.headers.get('retry-after')) > 0]).toEqual([429, true])
    expect(errorPageOf(await browser.open('/profile'))).toEqual([429, 'Too many requests', 'Try again'])
    expect((await other.open('/profile')).status).toBe(200)
  }, 60_000)

  it('works without the database', async () => {
    const portal = await startInstance()
    const browser = await signedIn(portal, 'calm')
    await database.pool.query('delete from rate_limits')
    for (let count = 0; count < 15; count += 1) await browser.open('/session/ending')
    expect((await database.pool.query('select * from rate_limits')).rows).toEqual([])
  })
})

it('limits are kept in the process while the database is unavailable', async () => {
  const portal = await startInstance()
  await database.pool.query('alter table rate_limits rename column points to broken')
  try {
    expect(await countStatuses(301, `${portal.url}/auth/callback`, '192.0.2.9')).toEqual({ 400: 300, 429: 1 })
  } finally {
    await database.pool.query('alter table rate_limits rename column broken to points')
  }
})
