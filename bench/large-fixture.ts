import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { userIdOf } from '../src/auth/user-id.ts'
import { createDemoEid } from '../demo/eid.ts'
import { newSigningKey } from '../demo/state.ts'
import { merchantKey } from '../src/domain/business-identifier.ts'
import { Browser } from '../test/support/browser.ts'
import { countRead, createFixture, startPortal, until } from './fixture.ts'
import { cleanup } from './processes.ts'
import { tell } from './report.ts'
import { seedDetails } from './seed.ts'
import { largeId, salesUnitsOf, smallId } from './world.ts'

/** A large and a small partner, fully synced, and the headers of signed-in users who may see both. */
export type LargeFixture = Awaited<ReturnType<typeof createLargeFixture>>

/** Many users, because the portal limits the requests of each. */
const people = Array.from({ length: 40 }, (_, index) => ({
  sub: `visitor-${index}`,
  name: `Visitor number ${index};`,
  email: `visitor.${index}@example.com`,
  emailVerified: true,
  description: 'Opens pages',
  grants: [],
}))

/** Syncs both partners' lists over HTTP, signs the visitors in, and seeds the details. */
export async function createLargeFixture(large: number) {
  const eid = createServer().listen(0, '127.0.0.1')
  await once(eid, 'listening')
  cleanup.defer(() => eid.close().closeAllConnections())
  const issuer = `http://127.0.0.1:${(eid.address() as AddressInfo).port}`
  const env = { OIDC_ISSUER: issuer, MANAGEMENT_API_TIMEOUT_MS: '60000' }
  const fixture = await createFixture([large, 100], env)
  const { world, db, url } = fixture
  const { OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = fixture.env
  const [jwks, cookieKeys] = [{ keys: [newSigningKey()] }, ['cookie-key-of-the-bench']]
  const demoEid = createDemoEid({ issuer, portalUrl: url, clientId, clientSecret, people, jwks, cookieKeys })
  eid.on('request', demoEid as RequestListener)

  const portal = await startPortal(fixture)
  await until(async () => (await countRead(db)) === world.organisations.length)
  tell(`first lists, ${world.salesUnits.length} sales units: CPU`, `${(portal.cpuMs() / 1000).toFixed(1)} s`)
  await db.query(
    `insert into grants (user_id, organisation, role)
     select user_id, organisation, 'developer' from unnest($1::uuid[]) user_id, unnest($2::text[]) organisation`,
    [people.map(({ sub }) => userIdOf(issuer, sub)), [`partner/${largeId}`, `partner/${smallId}`]],
  )
  const visitors: Record<string, string>[] = []
  for (const [index, { name }] of people.entries()) {
    const browser = new Browser(url)
    await browser.signIn(name)
    // The portal limits the requests of all that are not signed in.
    await sleep(50)
    visitors.push({
      Accept: 'text/html',
      'Accept-Encoding': 'gzip, deflate, br, zstd',
      Cookie: `portal=${browser.cookie('portal')}`,
      'X-Forwarded-For': `10.0.${index}.1`,
    })
  }
  await portal.stop()
  await seedDetails(fixture.env.DATABASE_URL, world)
  return { ...fixture, visitors }
}

/** The session of the first visitor, for a browser: its own cookies replace a header of ours once the portal sets one. */
export function sessionCookie({ url, visitors }: LargeFixture) {
  const [name = '', value = ''] = visitors[0]?.['Cookie']?.split('=') ?? []
  return { name, value, url }
}

/** Every page of a partner, in the same order for each; large and small partners show the same number of rows. */
export function pagesOf({ world }: LargeFixture, id: string): string[] {
  const [unit] = salesUnitsOf(world, id)
  const order = world.productOrders.find((row) => row.partnerId === id && row.body.status === 'COMPLETED')
  if (!unit || !order) throw new Error(`partner ${id} lacks data for some pages`)
  const { msn, businessIdentifier } = unit.body
  return [
    '',
    '/product-orders',
    '/product-orders?status=COMPLETED&q=a',
    `/product-orders/${order.body.productOrderId}`,
    '/templates',
    '/sales-units',
    '/sales-units?page=4',
    '/sales-units?q=fitness',
    '/sales-units?q=a',
    `/sales-units?q=${msn}`,
    `/sales-units/${msn}`,
    `/merchants/${merchantKey(businessIdentifier)}`,
    '/price-packages',
    '/developers/webhooks',
  ].map((path) => `/partners/${id}${path}`)
}
