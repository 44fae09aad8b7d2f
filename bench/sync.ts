import { setTimeout as sleep } from 'node:timers/promises'
import { createFixture, readLists, startPortal, until } from './fixture.ts'
import { type LargeFixture, pagesOf } from './large-fixture.ts'
import { openLoop } from './load.ts'
import { atMost, median, quantile } from './report.ts'
import { largeId } from './world.ts'

const perSecond = 200
const [salesUnits, merchants] = [2000, 500]
/** Covers the work of the sync after the last list. */
const tailMs = 2000
const tables = ['sales_units', 'merchants', 'product_orders', 'price_packages', 'templates', 'webhooks']

/** Measures the first sync of a partner, from the first call to the last merchant, under a strict rate limit. */
export async function measureFirstSync(): Promise<void> {
  const limits = { MANAGEMENT_API_MAX_PER_SECOND: String(perSecond), MANAGEMENT_API_MAX_CONCURRENCY: '50' }
  const fixture = await createFixture([salesUnits], limits)
  const { db, api } = fixture
  await api.set({ latencyMs: 30, rateLimitPerSecond: perSecond })
  const portal = await startPortal(fixture)
  await until(async () => {
    const { rows } = await db.query(
      `select from sync_state where resource in ('salesUnit', 'merchant') and checked_at is not null`,
    )
    return rows.length === salesUnits + merchants
  })
  const ended = Date.now()
  const calls = await api.calls()
  await portal.stop()
  await api.stop()
  const seconds = (ended - Math.min(...calls.map(({ at }) => at))) / 1000
  const least = (1 + salesUnits + merchants) / perSecond
  const what = 'first sync of 2,000 sales units of 500 merchants at 200/s'
  atMost(what, seconds / least, 1.05, ' ×', `${seconds.toFixed(1)} s; ${least.toFixed(1)} s at least`)
  atMost('first sync: calls refused with 429', calls.filter(({ status }) => status === 429).length, 0)
}

/** Measures rereading the unchanged lists of the large partner. */
export async function measureUnchanged(fixture: LargeFixture): Promise<void> {
  const { db } = fixture
  const portal = await startPortal(fixture)
  await sleep(tailMs)
  const { rows: before } = await db.query<{ id: string; changes: number }>(
    'select txid_current()::text as id, (select count(*)::int from changes) as changes',
  )
  const cpu: number[] = []
  for (let round = 0; round < 3; round += 1) {
    const cpuMs = portal.cpuMs()
    await readLists(db, `partner/${largeId}`)
    await sleep(tailMs)
    cpu.push((portal.cpuMs() - cpuMs) / 1000)
  }
  await portal.stop()
  const since = 'xmin::text::bigint > ($1::bigint % 4294967296)'
  const rewritten = tables.map((table) => `(select count(*) from ${table} where ${since})`)
  const { rows: after } = await db.query<{ rewritten: number; changes: number }>(
    `select (${rewritten.join(' + ')})::int as rewritten, (select count(*)::int from changes) as changes`,
    [before[0]?.id],
  )
  atMost('unchanged lists of the large partner: CPU of the portal', median(cpu), 3, ' s', 'median of 3')
  atMost('unchanged: rows rewritten', after[0]?.rewritten ?? Number.NaN, 0)
  atMost('unchanged: changes recorded', (after[0]?.changes ?? Number.NaN) - (before[0]?.changes ?? 0), 0)
}

/** Measures the pages of the large partner, 30 a second, with and without concurrent reads of its unchanged lists. */
export async function measurePagesDuringSync(fixture: LargeFixture): Promise<void> {
  const portal = await startPortal(fixture)
  const paths = pagesOf(fixture, largeId)
  await openLoop(fixture, paths, { perSecond: 30, seconds: 10 })
  const times = { quiet: [] as number[], syncing: [] as number[] }
  let syncs = 0
  for (const phase of ['quiet', 'syncing', 'syncing', 'quiet'] as const) {
    const over = new AbortController()
    async function syncAgain(): Promise<void> {
      for (; !over.signal.aborted; syncs += 1) await readLists(fixture.db, `partner/${largeId}`)
    }
    const loaded = openLoop(fixture, paths, { perSecond: 30, seconds: 40 }).finally(() => over.abort())
    const [some] = await Promise.all([loaded, phase === 'syncing' && syncAgain()])
    times[phase].push(...some)
  }
  await portal.stop()
  const [quiet, syncing] = [quantile(times.quiet, 0.99), quantile(times.syncing, 0.99)]
  const note = `${quiet.toFixed(1)} → ${syncing.toFixed(1)} ms, ${times.quiet.length} pages each, ${syncs} syncs`
  atMost('pages while unchanged lists are read: p99', syncing / quiet, 1.5, ' ×', note)
}
