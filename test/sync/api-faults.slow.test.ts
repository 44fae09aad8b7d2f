import { afterEach, describe, expect, it } from 'vitest'
import type { FaultAnswer } from '../../demo/management-api/faults.ts'
import { noFaults } from '../../demo/management-api/faults.ts'
import type { Organisation } from '../../src/domain/organisation.ts'
import type { Change } from '../../src/store/changes.ts'
import { backlogOf } from '../../src/store/backlog.ts'
import { makeDue } from '../../src/store/due.ts'
import { until } from '../support/until.ts'
import { startTestPortal, type TestPortal, type TestPortalOptions } from '../support/portal.ts'

const nordlys: Organisation = { kind: 'partner', id: '12345', name: 'Nordlys Platform AS' }
const base = '/partners/12345'

let test: TestPortal
afterEach(async () => test.stop())

async function begin(options: TestPortalOptions = {}): Promise<void> {
  test = await startTestPortal(options)
}

function clear(): void {
  const { faults } = test.api
  Object.assign(faults, noFaults(faults.revokeTokens.bind(faults)))
}

async function query<Row extends object>(text: string): Promise<Row[]> {
  return (await test.portal.database.pool.query<Row>(text)).rows
}

/** MSNs of the partner that are not gone, sorted. */
async function stored(): Promise<string[]> {
  const rows = await query<{ key: string }>(
    `select key from sales_units where organisation = 'partner/12345' and removed_at is null order by key`,
  )
  return rows.map(({ key }) => key)
}

async function history(): Promise<Change[]> {
  return query<Change>(
    `select resource, key, kind, fields from changes where organisation = 'partner/12345' order by id`,
  )
}

async function listsDue(): Promise<void> {
  await makeDue(test.portal.database.kysely, nordlys, { listsOnly: true })
  await test.portal.sync.tick()
}

async function all(): Promise<number> {
  return (await stored()).length
}

async function isListFailing(): Promise<boolean> {
  return (await backlogOf(test.portal.database.kysely, nordlys)).some(
    ({ resource, failing }) => resource === 'salesUnits' && failing > 0,
  )
}

/** Every sales unit of the partner is there with its details. */
async function isWhole(): Promise<boolean> {
  const [row] = await query<{ count: number }>(
    `select count(*)::int as count from sales_units
     where organisation = 'partner/12345' and details is not null and merchant_name is not null`,
  )
  return row?.count === 12
}

function answering(answer: FaultAnswer, ...paths: string[]): void {
  test.api.faults.override = ({ path }) => (paths.some((part) => path.endsWith(part)) ? answer : undefined)
}

describe('an API that is down', () => {
  it('at the start: pages say so, and when it is back everything is read without anybody asking', async () => {
    await begin({ synced: false, faults: { down: true } })
    const kari = await test.signedIn('Kari Nordmann')
    // For the first 3 s it may still be trying, and says so.
    let page = await kari.open(`${base}/sales-units`)
    while (page.status === 200) {
      expect(page.words).toContain('Being read for the first time')
      page = await kari.open(`${base}/sales-units`)
    }
    expect(page.status).toBe(503)
    expect(page.words).toContain('We cannot read the sales units just now')
    clear()
    await until(isWhole)
    expect((await kari.open(`${base}/sales-units`)).words).toContain('12 sales units')
  })

  it('in the middle of the details: what was read is shown, the rest follows', async () => {
    await begin({ synced: false, faults: { latencyMs: 20 } })
    let answered = 0
    test.api.faults.override = ({ path }) => {
      if (!path.includes('/sales-units/')) return undefined
      answered += 1
      return answered > 5 ? { status: 503 } : undefined
    }
    await until(async () => answered > 8 && (await all()) === 12)
    expect(await isWhole()).toBe(false)
    const kari = await test.signedIn('Kari Nordmann')
    const page = await kari.open(`${base}/sales-units`)
    expect(page.status).toBe(200)
    expect(page.words).toContain('ACME Fantastic Fitness')
    clear()
    await until(isWhole)
  })

  it('after it was read: pages show the last known state and say since when', async () => {
    await begin()
    test.api.faults.down = true
    await listsDue()
    await until(isListFailing)
    const kari = await test.signedIn('Kari Nordmann')
    const page = await kari.open(`${base}/sales-units`)
    expect(page.status).toBe(200)
    expect(page.words).toMatch(/API has not answered as it should since .*You see what was there on/)
    expect(page.words).toContain('12 sales units')
    clear()
    await until(async () => !(await isListFailing()))
    expect((await kari.open(`${base}/sales-units`)).words).not.toContain('has not answered')
  })
})

describe('a list', () => {
  it('that is cut off in the middle of its JSON changes nothing', async () => {
    await begin()
    answering(
      { status: 200, headers: { 'content-type': 'application/json' }, body: '[{"msn":"123456","name":"AC' },
      '/sales-units',
    )
    await listsDue()
    await until(isListFailing)
    expect(await all()).toBe(12)
  })

  it('that is HTML instead of JSON changes nothing', async () => {
    await begin()
    answering({ status: 200, body: '<html><h1>Welcome</h1></html>' }, '/sales-units')
    await listsDue()
    await until(isListFailing)
    expect(await all()).toBe(12)
  })

  it('that has lost half is not believed until it is read again, and then it is, with a warning', async () => {
    await begin({ env: { SYNC_DOUBT_SECONDS: '3' } })
    const kari = await test.signedIn('Kari Nordmann')
    const half = (await stored()).slice(0, 6)
    answering({ status: 200, body: half.map((msn) => ({ msn, name: `Unit ${msn}` })) }, '/sales-units')
    const before = test.api.requests.length
    await listsDue()
    await until(async () => test.log().includes('list suspect: it lost too much'))
    expect(await all()).toBe(12)
    expect((await history()).filter(({ kind }) => kind !== 'added')).toEqual([])
    expect((await kari.open(`${base}/sales-units`)).words).toContain('lacked much of what is shown here')
    await until(async () => (await all()) === 6)
    expect(test.log()).toContain('list confirmed: it lost as much')
    const reads = test.api.requests.slice(before).filter(({ path }) => path.endsWith('/sales-units'))
    expect(reads).toHaveLength(2)
    expect(
      (await history()).filter(({ kind, resource }) => kind === 'removed' && resource === 'salesUnit'),
    ).toHaveLength(6)
  })

  it('that is empty once, by mistake, leaves no trace', async () => {
    await begin()
    const before = await history()
    answering({ status: 204 }, '/sales-units')
    await listsDue()
    await until(async () => test.log().includes('list suspect: it lost too much'))
    clear()
    await until(
      async () => !(await backlogOf(test.portal.database.kysely, nordlys)).some(({ suspectSince }) => suspectSince),
    )
    expect(await all()).toBe(12)
    expect(await history()).toEqual(before)
  })

  it('that has lost little is believed at once: the sales unit is gone, and its webhooks with it', async () => {
    await begin()
    const row = test.world.salesUnits.find(({ body }) => body.msn === '140512')
    if (row) row.active = false
    await listsDue()
    await until(async () => (await all()) === 11)
    const gone = (await history())
      .filter(({ kind }) => kind === 'removed')
      .map(({ resource, key }) => `${resource} ${key.slice(0, 6)}`)
    expect(gone.toSorted()).toEqual(['salesUnit 140512', 'webhook 140512'])
    const kari = await test.signedIn('Kari Nordmann')
    expect((await kari.open(`${base}/sales-units/140512`)).status).toBe(410)
    expect((await kari.open(`${base}/sales-units?q=140512`)).words).toContain('No sales unit matches')
    if (row) row.active = true
    await listsDue()
    await until(async () => (await all()) === 12)
    await until(async () => (await history()).filter(({ kind }) => kind === 'returned').length === 2)
    expect((await kari.open(`${base}/sales-units/140512`)).words).toMatch(/Back again.*Gone.*Seen for the first time/)
  })

  it('with rows that make no sense keeps what is known of them', async () => {
    await begin()
    const rows = (await stored()).map((msn, index) => ({
      msn,
      name: index < 4 ? { odd: true } : `Unit ${msn}`,
    }))
    answering({ status: 200, body: [...rows, null, 7, { name: 'no MSN' }] }, '/sales-units')
    await listsDue()
    await until(async () => (await history()).filter(({ kind }) => kind === 'changed').length === 8)
    expect(await all()).toBe(12)
    const kari = await test.signedIn('Kari Nordmann')
    expect((await kari.open(`${base}/sales-units`)).words).toContain('7 rows from the API could not be read')
  })
})

describe('an API that limits', () => {
  it('with 429 to most calls is read all the same, more slowly', async () => {
    await begin({
      synced: false,
      faults: { rateLimitPerSecond: 6 },
      env: { MANAGEMENT_API_MAX_PER_SECOND: '60' },
    })
    await until(isWhole)
    const statuses = test.api.requests.map(({ status }) => status)
    expect(statuses).toContain(429)
    expect(test.log().includes('rate limit lowered')).toBe(true)
  })
})

describe('keys and tokens', () => {
  it('a token endpoint that is down: pages keep what they have, and it recovers', async () => {
    await begin()
    test.api.faults.override = ({ path }) => (path.includes('token') ? { status: 503 } : undefined)
    test.api.faults.revokeTokens()
    await listsDue()
    await until(isListFailing)
    expect(await all()).toBe(12)
    clear()
    await until(async () => !(await isListFailing()))
    expect(await isWhole()).toBe(true)
  })

  it('keys that are revoked: the page says that they were refused, and shows what there is', async () => {
    await begin()
    answering({ status: 401, body: { title: 'Unauthorized' } }, '')
    await listsDue()
    await until(isListFailing)
    const kari = await test.signedIn('Kari Nordmann')
    const page = await kari.open(`${base}/sales-units`)
    expect(page.status).toBe(200)
    expect(page.words).toContain('refused the portal’s keys'.replace('’', "'"))
    expect(page.words).toContain('12 sales units')
  })
})
