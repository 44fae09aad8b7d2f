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

async function startPortal(options: TestPortalOptions = {}): Promise<void> {
  test = await startTestPortal(options)
}

function clearFaults(): void {
  const { faults } = test.api
  Object.assign(faults, noFaults(faults.revokeTokens.bind(faults)))
}

async function query<Row extends object>(text: string): Promise<Row[]> {
  return (await test.portal.database.pool.query<Row>(text)).rows
}

/** MSNs of the partner that are not removed, sorted. */
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

async function refreshLists(): Promise<void> {
  await makeDue(test.portal.database.kysely, nordlys, { listsOnly: true })
  await test.portal.sync.tick()
}

async function storedCount(): Promise<number> {
  return (await stored()).length
}

async function isListFailing(): Promise<boolean> {
  return (await backlogOf(test.portal.database.kysely, nordlys)).some(
    ({ resource, failing }) => resource === 'salesUnits' && failing > 0,
  )
}

/** Whether every sales unit of the partner is stored with its details. */
async function isFullySynced(): Promise<boolean> {
  const [row] = await query<{ count: number }>(
    `select count(*)::int as count from sales_units
     where organisation = 'partner/12345' and details is not null and merchant_name is not null`,
  )
  return row?.count === 12
}

function answerWith(answer: FaultAnswer, ...paths: string[]): void {
  test.api.faults.override = ({ path }) => (paths.some((part) => path.endsWith(part)) ? answer : undefined)
}

describe('an API that is down', () => {
  it('at the start: pages answer 503, and everything is read by itself after recovery', async () => {
    await startPortal({ synced: false, faults: { down: true } })
    const kari = await test.signedIn('Kari Nordmann')
    // During the first 3 s the sync may still be retrying, and the page says so.
    let page = await kari.open(`${base}/sales-units`)
    while (page.status === 200) {
      expect(page.words).toContain('Loading for the first time')
      page = await kari.open(`${base}/sales-units`)
    }
    expect(page.status).toBe(503)
    expect(page.words).toContain('We cannot load the sales units right now')
    clearFaults()
    await until(isFullySynced)
    expect((await kari.open(`${base}/sales-units`)).words).toContain('12 sales units')
  })

  it('while details are read: pages show what has been read, and the rest follows after recovery', async () => {
    await startPortal({ synced: false, faults: { latencyMs: 20 } })
    let answered = 0
    test.api.faults.override = ({ path }) => {
      if (!path.includes('/sales-units/')) return undefined
      answered += 1
      return answered > 5 ? { status: 503 } : undefined
    }
    await until(async () => answered > 8 && (await storedCount()) === 12)
    expect(await isFullySynced()).toBe(false)
    const kari = await test.signedIn('Kari Nordmann')
    const page = await kari.open(`${base}/sales-units`)
    expect(page.status).toBe(200)
    expect(page.words).toContain('ACME Fantastic Fitness')
    clearFaults()
    await until(isFullySynced)
  })

  it('after the first sync: pages show the last known state and since when', async () => {
    await startPortal()
    test.api.faults.down = true
    await refreshLists()
    await until(isListFailing)
    const kari = await test.signedIn('Kari Nordmann')
    const page = await kari.open(`${base}/sales-units`)
    expect(page.status).toBe(200)
    expect(page.words).toMatch(/has not been responding correctly since .*Showing data from/)
    expect(page.words).toContain('12 sales units')
    clearFaults()
    await until(async () => !(await isListFailing()))
    expect((await kari.open(`${base}/sales-units`)).words).not.toContain('has not answered')
  })
})

describe('a list', () => {
  it('that is truncated JSON changes nothing', async () => {
    await startPortal()
    answerWith(
      { status: 200, headers: { 'content-type': 'application/json' }, body: '[{"msn":"123456","name":"AC' },
      '/sales-units',
    )
    await refreshLists()
    await until(isListFailing)
    expect(await storedCount()).toBe(12)
  })

  it('that is HTML instead of JSON changes nothing', async () => {
    await startPortal()
    answerWith({ status: 200, body: '<html><h1>Welcome</h1></html>' }, '/sales-units')
    await refreshLists()
    await until(isListFailing)
    expect(await storedCount()).toBe(12)
  })

  it('that has lost half its rows is suspect until a second read confirms it, with a warning', async () => {
    await startPortal({ env: { SYNC_DOUBT_SECONDS: '3' } })
    const kari = await test.signedIn('Kari Nordmann')
    const half = (await stored()).slice(0, 6)
    answerWith({ status: 200, body: half.map((msn) => ({ msn, name: `Unit ${msn}` })) }, '/sales-units')
    const before = test.api.requests.length
    await refreshLists()
    await until(async () => test.log().includes('list suspect: it lost too many rows'))
    expect(await storedCount()).toBe(12)
    expect((await history()).filter(({ kind }) => kind !== 'added')).toEqual([])
    expect((await kari.open(`${base}/sales-units`)).words).toContain(
      'Much of this data was missing from the latest API response',
    )
    await until(async () => (await storedCount()) === 6)
    expect(test.log()).toContain('list confirmed: a second read lost as many rows')
    const reads = test.api.requests.slice(before).filter(({ path }) => path.endsWith('/sales-units'))
    expect(reads).toHaveLength(2)
    expect(
      (await history()).filter(({ kind, resource }) => kind === 'removed' && resource === 'salesUnit'),
    ).toHaveLength(6)
  })

  it('that is empty once removes nothing', async () => {
    await startPortal()
    const before = await history()
    answerWith({ status: 204 }, '/sales-units')
    await refreshLists()
    await until(async () => test.log().includes('list suspect: it lost too many rows'))
    clearFaults()
    await until(
      async () => !(await backlogOf(test.portal.database.kysely, nordlys)).some(({ suspectSince }) => suspectSince),
    )
    expect(await storedCount()).toBe(12)
    expect(await history()).toEqual(before)
  })

  it('that has lost one row removes that sales unit and its webhooks at once', async () => {
    await startPortal()
    const row = test.world.salesUnits.find(({ body }) => body.msn === '140512')
    if (row) row.active = false
    await refreshLists()
    await until(async () => (await storedCount()) === 11)
    const gone = (await history())
      .filter(({ kind }) => kind === 'removed')
      .map(({ resource, key }) => `${resource} ${key.slice(0, 6)}`)
    expect(gone.toSorted()).toEqual(['salesUnit 140512', 'webhook 140512'])
    const kari = await test.signedIn('Kari Nordmann')
    expect((await kari.open(`${base}/sales-units/140512`)).status).toBe(410)
    expect((await kari.open(`${base}/sales-units?q=140512`)).words).toContain('No sales unit matches')
    if (row) row.active = true
    await refreshLists()
    await until(async () => (await storedCount()) === 12)
    await until(async () => (await history()).filter(({ kind }) => kind === 'returned').length === 2)
    expect((await kari.open(`${base}/sales-units/140512`)).words).toMatch(
      /Became available again.*Became unavailable.*First seen/,
    )
  })

  it('with invalid rows keeps the stored values of those rows', async () => {
    await startPortal()
    const rows = (await stored()).map((msn, index) => ({
      msn,
      name: index < 4 ? { odd: true } : `Unit ${msn}`,
    }))
    answerWith({ status: 200, body: [...rows, null, 7, { name: 'no MSN' }] }, '/sales-units')
    await refreshLists()
    await until(async () => (await history()).filter(({ kind }) => kind === 'changed').length === 8)
    expect(await storedCount()).toBe(12)
    const kari = await test.signedIn('Kari Nordmann')
    const page = await kari.open(`${base}/sales-units`)
    expect(page.words).toContain('3 rows could not be loaded')
    const odd = rows.filter(({ name }) => typeof name === 'object')
    for (const { msn } of odd) expect(page.$(`tbody a[href$="/${msn}"]`).text()).not.toMatch(/^(Unit )?\d+$/)
  })
})

describe('an API with a rate limit', () => {
  it('is read completely at a lower rate when it answers 429', async () => {
    await startPortal({
      synced: false,
      faults: { rateLimitPerSecond: 6 },
      env: { MANAGEMENT_API_MAX_PER_SECOND: '60' },
    })
    await until(isFullySynced)
    const statuses = test.api.requests.map(({ status }) => status)
    expect(statuses).toContain(429)
    expect(test.log().includes('rate limit lowered')).toBe(true)
  })
})

describe('credentials and tokens', () => {
  it('a token endpoint that is down keeps the stored data, and the sync recovers', async () => {
    await startPortal()
    test.api.faults.override = ({ path }) => (path.includes('token') ? { status: 503 } : undefined)
    test.api.faults.revokeTokens()
    await refreshLists()
    await until(isListFailing)
    expect(await storedCount()).toBe(12)
    clearFaults()
    await until(async () => !(await isListFailing()))
    expect(await isFullySynced()).toBe(true)
  })

  it('revoked credentials show a banner above the stored data', async () => {
    await startPortal()
    answerWith({ status: 401, body: { title: 'Unauthorized' } }, '')
    await refreshLists()
    await until(isListFailing)
    const kari = await test.signedIn('Kari Nordmann')
    const page = await kari.open(`${base}/sales-units`)
    expect(page.status).toBe(200)
    expect(page.words).toContain('rejected the portal’s keys')
    expect(page.words).toContain('12 sales units')
  })
})
