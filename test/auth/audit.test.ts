import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { demoPeople } from '../../demo/people.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { createPageViewAudit } from '../../src/auth/page-view-audit.ts'
import { readAudit } from '../../src/store/audit-log.ts'
import { linesOf } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
})
afterAll(async () => test.stop())

/** All audit entries of this user, oldest first. */
async function entriesOf(name: string) {
  await test.portal.audit.flush()
  const filter = { userIds: [test.userId(name)], organisations: [], events: [], since: undefined }
  const all = []
  for await (const rows of readAudit(test.portal.database.kysely, filter, undefined)) all.push(...rows)
  return all
}

async function relevantEntriesOf(name: string) {
  return (await entriesOf(name))
    .filter(({ event }) => ['acting as', 'page', 'access refused', 'export'].includes(event))
    .map(({ event, organisation, details }) => [event, organisation, details] as const)
}

/** Waits for the entries: a page view is recorded after the response has been sent. */
async function waitForEntries(name: string, expected: unknown) {
  return vi.waitFor(async () => expect(await relevantEntriesOf(name)).toEqual(expected), { timeout: 10_000 })
}

describe('a page view of an organisation', () => {
  it('is recorded with organisation, role, route and record', async () => {
    const nora = await test.signedIn('Nora Lie')
    const msn = test.world.salesUnits.find(({ active, partnerId }) => active && partnerId === '12345')?.body.msn
    await nora.open(`/partners/12345/sales-units/${msn}?needle=in-the-query`)
    await nora.open('/partners/12345/sales-units?q=needle-in-the-query')
    await nora.open('/partners/12345/sales-units?q=needle-again')
    await nora.open('/partners/12345/sales-units/00000000')
    await nora.open('/partners/12345/no-such-page')
    await nora.open('/partners/12345/developers/webhooks')
    await nora.open('/partners/23456/sales-units/needle-in-the-path')
    await nora.open('/partners/needle-in-the-path')
    const route = '/partners/:partnerId'
    await waitForEntries('Nora Lie', [
      ['acting as', 'partner/12345', { role: 'viewer' }],
      ['page', 'partner/12345', { route }],
      ['page', 'partner/12345', { route: `${route}/sales-units/:msn`, msn }],
      ['page', 'partner/12345', { route: `${route}/sales-units` }],
      [
        'access refused',
        'partner/12345',
        { reason: 'role', needed: 'developer', route: `${route}/developers/webhooks` },
      ],
      ['access refused', 'partner/23456', { reason: 'no grant', route: `${route}/sales-units/:msn` }],
      ['access refused', null, { reason: 'no grant', route }],
    ])
    const [first] = await entriesOf('Nora Lie')
    expect(first?.address).toBe('127.0.0.0/24')
    expect(Math.abs(Date.parse(String(first?.at)) - Date.now())).toBeLessThan(120_000)
  })

  it('records "acting as" once per session and organisation', async () => {
    const first = await test.signedIn('Jonas Berg')
    await first.open('/merchants/business:NO:ORG/311900456/details')
    const second = await test.signedIn('Jonas Berg')
    await second.open('/merchants/business:NO:ORG/311900456/details')
    const actingAs = async () =>
      (await relevantEntriesOf('Jonas Berg'))
        .filter(([event]) => event === 'acting as')
        .map(([, organisation]) => organisation)
    await vi.waitFor(
      async () =>
        expect(await actingAs()).toEqual(['merchant/business:NO:ORG/311900456', 'merchant/business:NO:ORG/311900456']),
      { timeout: 10_000 },
    )
  })

  it('records "acting as" once per session when two instances serve it', async () => {
    const kari = await test.signedIn('Kari Nordmann')
    await kari.open('/partners/12345/templates')
    await vi.waitFor(async () => expect((await relevantEntriesOf('Kari Nordmann')).length).toBeGreaterThan(1), {
      timeout: 10_000,
    })
    const { rows } = await test.portal.database.pool.query<{ at: Date }>('select max(signed_in_at) as at from sessions')
    const other = createPageViewAudit(test.portal.audit)
    const req = {
      user: { id: test.userId('Kari Nordmann') },
      session: { signedInAt: Number(rows[0]?.at) },
      ip: '127.0.0.1',
    }
    const organisation = { kind: 'partner', id: '12345', name: 'x' }
    const res = { locals: { organisation, role: 'developer', route: '/partners/:partnerId/orders.csv' } }
    other(req as never, res as never, 'export')
    const all = await relevantEntriesOf('Kari Nordmann')
    expect(all.filter(([event]) => event === 'acting as')).toHaveLength(1)
    expect(all.at(-1)).toEqual(['export', 'partner/12345', { route: '/partners/:partnerId/orders.csv' }])
  })
})

it('the audit log is written to the process log, one line per entry', () => {
  const lines = linesOf(test.log()).filter(({ msg }) => msg === 'audit')
  expect(lines).toContainEqual(
    expect.objectContaining({
      audit: expect.objectContaining({
        event: 'page',
        organisation: 'partner/12345',
        route: '/partners/:partnerId/sales-units',
      }) as unknown,
    }),
  )
})

it('the audit table and log hold no personal data but user ID, truncated address and organisation', async () => {
  const { rows } = await test.portal.database.pool.query('select audit::text as entry from audit')
  expect(rows.length).toBeGreaterThan(10)
  const lines = linesOf(test.log()).filter(({ msg }) => msg === 'audit')
  const everything = [...rows.map((row) => JSON.stringify(row)), ...lines.map((line) => JSON.stringify(line))].join(
    '\n',
  )
  const forbidden = [
    ...demoPeople.flatMap(({ name, email, sub }) => [name, email, sub, ...name.split(' ')]),
    'needle',
    '127.0.0.1',
    '@',
    'portal=',
  ]
  for (const word of forbidden) expect([word, everything.includes(word)]).toEqual([word, false])
})
