import { setTimeout as sleep } from 'node:timers/promises'
import { idleUse, memoryOf } from './first-list.ts'
import { describeDelays } from './meter.ts'
import type { Place } from './places.ts'
import type { Reporter } from './results.ts'
import { createStage, type RunningPortal, startPortalOf } from './stage.ts'
import { largeId } from './world.ts'

const salesUnits = 2000
const maxPerSecond = 200
const latencyMs = 30
const patienceMs = 120_000

/** Waits until so many sales units and merchants have been read. */
const untilRead = async ({ ask }: RunningPortal, count: number): Promise<void> => {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const [row] = await ask.query(
      `select count(*)::int as read from sync_state where resource in ('salesUnit', 'merchant') and checked_at is not null`,
    )
    const read = Number(row?.['read'])
    if (read >= count) return
    if (performance.now() > deadline) throw new Error(`the first sync has read ${read} of ${count}`)
    await sleep(100)
  }
}

const isDetail = ({ path }: { readonly path: string }): boolean =>
  /\/(sales-units\/\d+|merchants\/.+)$/.test(path)

/** The most of these times, in milliseconds, that lie within one second. */
const mostInASecond = (times: readonly number[]): number => {
  const sorted = times.toSorted((a, b) => a - b)
  let [most, start] = [0, 0]
  for (const [end, time] of sorted.entries()) {
    while (time - (sorted[start] ?? time) >= 1000) start += 1
    most = Math.max(most, end - start + 1)
  }
  return most
}

/** A partner that the portal has never read, from nothing to its last merchant, under a rate limit. */
export const measureFirstSync = async (place: Place, report: Reporter): Promise<void> => {
  const size = { large: salesUnits, orders: 400, small: 0 }
  const stage = await createStage(place, size, [largeId], {
    MANAGEMENT_API_MAX_PER_SECOND: String(maxPerSecond),
    MANAGEMENT_API_MAX_CONCURRENCY: '50',
  })
  const units = stage.world.salesUnits
  const merchants = new Set(units.map(({ body }) => body.businessIdentifier.id)).size
  // Down at first: the idle process is measured before it begins.
  await stage.api.ask.weather({ latencyMs, rateLimitPerSecond: maxPerSecond, down: true })
  const portal = await startPortalOf(stage)
  const idle = await idleUse(portal)
  await portal.ask.query(`update sync_state set due_at = 'epoch', failures = 0`)
  await portal.ask.query(`update api_pace set trips = 0, held_until = null`)
  await stage.api.ask.weather({ down: false })
  await stage.api.ask.forget()
  await portal.ask.resetMeter()
  await portal.ask.beat()
  await untilRead(portal, units.length + merchants)
  const end = Date.now()
  const used = await portal.ask.readMeter()
  const requests = await stage.api.ask.requests()
  await portal.stop()
  await stage.api.end()

  const details = requests.filter(isDetail).map(({ at }) => at)
  const [first, last] = [Math.min(...details), Math.max(...details)]
  const began = Math.min(...requests.map(({ at }) => at))
  const least = (1 + units.length + merchants) / maxPerSecond
  const took = (end - began) / 1000
  const what = `first sync of ${units.length} sales units of ${merchants} merchants at ${maxPerSecond}/s`
  report.atMost(what, took / least, 1.1, ' ×', `${took.toFixed(1)} s; ${least.toFixed(1)} s at least`)
  const share = ((details.length - 1) * 1000) / (last - first) / maxPerSecond
  report.atLeast('first sync: share of the rate that is used', share, 0.95)
  const refused = requests.filter(({ status }) => status === 429).length
  const most = `at most ${mostInASecond(requests.map(({ at }) => at))} calls came within a second`
  report.atMost('first sync: refused by the API (429)', refused, 0, '', most)
  const memory = memoryOf(idle, used)
  report.atMost('first sync: memory', memory.value, 300, ' MB', memory.note)
  report.atMost('first sync: event loop delay, p99', used.delay.p99, 50, ' ms', describeDelays([used]))
  report.tell(
    'first sync: CPU',
    `${(used.cpuMs / 1000).toFixed(1)} s (${(used.mainCpuMs / 1000).toFixed(1)} s main thread)`,
  )
}
