import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createDemoManagementApi } from '../../demo/management-api.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { createLogger } from '../../src/logger.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { until } from '../support/until.ts'

let test: TestPortal | undefined
let server: Server | undefined
afterEach(async () => {
  await test?.stop()
  server?.closeAllConnections()
  server?.close()
  ;[test, server] = [undefined, undefined]
})

async function query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
  return (await test?.portal.database.pool.query<Row>(text, values))?.rows ?? []
}

/** The lists of an organisation that have been read. */
async function listsRead(organisation: string): Promise<string[]> {
  const rows = await query<{ resource: string }>(
    `select resource from sync_state
     where organisation = $1 and key = '' and checked_at is not null order by resource`,
    [organisation],
  )
  return rows.map(({ resource }) => resource)
}

const allLists = ['pricePackages', 'productOrders', 'salesUnits', 'templates', 'webhooks']

describe('an organisation', () => {
  it.each([
    ['whose API never answers', () => undefined],
    ['whose token endpoint fails', () => 503],
    ['whose API asks to wait for an hour', () => 429],
  ])('%s delays no other organisation', async (_what, statusOf) => {
    const world = createDemoWorld({ salesUnits: 20 })
    const api = createDemoManagementApi(world, { logger: createLogger('silent') })
    const failingOrganisation = world.organisations.find(({ organisation }) => organisation.id === '23456')
    const clientId =
      failingOrganisation && 'clientId' in failingOrganisation.keys ? failingOrganisation.keys.clientId : ''
    server = createServer((req, res) => {
      const basic = Buffer.from((req.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString()
      if (req.headers['client_id'] !== clientId && !basic.startsWith(`${clientId}:`))
        return (api.app as RequestListener)(req, res)
      const status = statusOf()
      if (status !== undefined) res.writeHead(status, { 'Retry-After': '3600' }).end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const env = { MANAGEMENT_API_URL: url, WEBHOOKS_API_URL: url }
    test = await startTestPortal({ world, env, synced: false })
    await until(async () => (await listsRead('partner/12345')).length === 5)
    await until(async () => {
      const [row] = await query<{ left: number }>(
        `select count(*)::int as left from sync_state
         where organisation <> 'partner/23456' and due_at < 'infinity' and checked_at is null`,
      )
      return row?.left === 0
    })
    expect(await listsRead('partner/23456')).toEqual([])
  })

  it('with one failing list still gets its other lists and its details', async () => {
    test = await startTestPortal({ synced: false, faults: { override: failing('/product-orders') } })
    await until(async () => (await listsRead('partner/12345')).length === 4)
    expect(await listsRead('partner/12345')).toEqual(allLists.filter((list) => list !== 'productOrders'))
    const kari = await test.signedIn('Kari Nordmann')
    await until(async () => {
      const page = await kari.open('/partners/12345/sales-units/123456')
      return page.status === 200 && page.words.includes('Settings')
    })
  })
})

function failing(part: string) {
  return ({ path }: { path: string }) => (path.includes(part) ? { status: 500 } : undefined)
}

describe('unknown MSNs', () => {
  it('cause 20 API calls per user and minute, and are answered from the list after that', async () => {
    test = await startTestPortal()
    const kari = await test.signedIn('Kari Nordmann')
    const { requests } = test.api
    const before = requests.length
    for (let number = 0; number < 30; number += 1) {
      const page = await kari.open(`/partners/12345/sales-units/${7_000_000 + number}`)
      expect(page.status).toBe(404)
      expect(page.words).toContain('You do not have access to this')
    }
    const asked = requests.slice(before).filter(({ path }) => /sales-units\/7\d{6}$/.test(path))
    expect(asked).toHaveLength(20)
    // The limit is per user.
    const åse = await test.signedIn('Åse Bjørk')
    await åse.open('/partners/12345/sales-units/7000099')
    expect(requests.some(({ path }) => path.endsWith('/7000099'))).toBe(true)
  })
})

describe('a record that the database cannot store', () => {
  it('is skipped and logged; the other records are written', async () => {
    const hooks = ['good', 'refused', 'better'].map((name, index) => ({
      id: `00000000-0000-4000-8000-00000000000${index}`,
      url: `https://hooks.example/${name}`,
      events: ['epayments.payment.created.v1'],
    }))
    test = await startTestPortal()
    await query(`alter table webhooks add constraint refused check (url not like '%refused')`)
    test.api.faults.override = ({ path, msn }) =>
      path.endsWith('/webhooks') && msn === undefined ? { status: 200, body: { webhooks: hooks } } : undefined
    await test.sync()
    const stored = async (): Promise<string[]> => {
      const rows = await query<{ key: string }>(
        `select key from webhooks where organisation = 'partner/12345' and msn = '' and removed_at is null order by key`,
      )
      return rows.map(({ key }) => key)
    }
    // The list has lost all stored rows, so it is suspect until a second read.
    await until(async () => (await stored()).some((key) => key === `/${hooks[2]?.id}`))
    await test.settled()
    expect(await stored()).toEqual([`/${hooks[0]?.id}`, `/${hooks[2]?.id}`])
    expect(test.log().includes('record cannot be stored')).toBe(true)
    const kari = await test.signedIn('Kari Nordmann')
    expect((await kari.open('/partners/12345/developers/webhooks')).words).toContain('could not be loaded')
  })
})
