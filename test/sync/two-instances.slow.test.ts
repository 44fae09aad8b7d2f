import { afterEach, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import { createDemoWorld } from '../../demo/world.ts'
import { until } from '../support/until.ts'
import { type Instances, partner, prepareInstances } from '../support/instances.ts'

const world = createDemoWorld({ salesUnits: 120 })
const units = visibleSalesUnits(world, partner)
const msns = units.map(({ body }) => body.msn)
const merchants = new Set(units.map(({ body: { businessIdentifier } }) => businessIdentifier.id))

let instances: Instances
afterEach(async () => instances.stop())

function countsOf(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

/** The paths of all API requests without tokens; a webhooks call includes its sales unit. */
function requestedPaths(): string[] {
  return instances.api.requests
    .filter(({ path }) => !path.includes('token'))
    .map(({ path, headers }) => (path.startsWith('/webhooks') ? `${path} ${headers.merchantSerialNumber ?? ''}` : path))
}

function requestedDetails(): string[] {
  return requestedPaths().filter((path) => /sales-units\/|merchants\//.test(path))
}

function isAllRead(): boolean {
  return new Set(requestedDetails()).size >= msns.length + merchants.size
}

function peakPerSecond(): number {
  const times = instances.api.requests.map(({ at }) => at)
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length))
}

it('two instances read everything once and share one rate limit', async () => {
  instances = await prepareInstances(world)
  instances.api.faults.latencyMs = 60
  const limits = { MANAGEMENT_API_MAX_PER_SECOND: '40', MANAGEMENT_API_MAX_CONCURRENCY: '4' }
  instances.start(limits)
  instances.start(limits)
  await until(isAllRead)
  const twice = [...countsOf(requestedPaths())].filter(([, count]) => count > 1)
  expect(twice).toEqual([])
  expect(peakPerSecond()).toBeLessThanOrEqual(40)
  expect(instances.inFlight().peak).toBeLessThanOrEqual(4)
  expect(instances.inFlight().peak).toBeGreaterThan(1)
}, 120_000)

it('a killed instance is replaced within 20 s, and only its calls in flight are repeated', async () => {
  instances = await prepareInstances(world)
  instances.api.faults.latencyMs = 20
  const limits = { MANAGEMENT_API_MAX_PER_SECOND: '10', MANAGEMENT_API_MAX_CONCURRENCY: '20' }
  const first = instances.start(limits)
  await until(() => requestedDetails().length > 10)
  const second = instances.start({ ...limits, LOG_LEVEL: 'info' })
  await second.says(/portal ready/)
  first.child.kill('SIGKILL')
  await first.ended
  const [killedAt, before] = [performance.now(), requestedPaths().length]
  await until(() => requestedPaths().length > before)
  expect(performance.now() - killedAt).toBeLessThan(20_000)
  await second.says(/details read/)
  // Only the calls that the killed instance had in flight are repeated.
  const twice = [...countsOf(requestedDetails())].filter(([, count]) => count > 1)
  expect(twice.length).toBeLessThanOrEqual(60)
  expect(twice.every(([, count]) => count === 2)).toBe(true)
  const database = instances.open()
  const { rows } = await database.pool.query<{ kind: string; count: number }>(
    `select kind, count(*)::int as count from changes where resource = 'salesUnit' group by kind`,
  )
  await database.close()
  expect(rows).toEqual([{ kind: 'added', count: msns.length }])
}, 120_000)
