import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRandom } from '../../demo/world/random.ts'
import { createDemoWorld } from '../../demo/world.ts'
import type { Change } from '../../src/store/changes.ts'
import type { Json, StoredRecord } from '../../src/store/records.ts'
import { currentOf, differences } from '../../src/sync/reconcile.ts'
import type { Running } from '../support/process.ts'
import { until } from '../support/until.ts'
import { type Instances, prepareInstances } from '../support/instances.ts'
import { createTruth } from '../support/stored-truth.ts'

/** Three rounds usually show a mistake; CI runs twenty. */
const rounds = Number(process.env['KILL_ROUNDS'] ?? 3)
const world = createDemoWorld({ salesUnits: 80 })
const random = createRandom(20_261_125)

let instances: Instances
beforeAll(async () => {
  instances = await prepareInstances(world)
  instances.api.faults.latencyMs = 4
})
afterAll(async () => instances.stop())

/** Short intervals, so that calls are always in flight. */
const shortIntervals = {
  SYNC_LIST_IDLE_SECONDS: '1',
  SYNC_DETAIL_SECONDS: '4',
  SYNC_WEBHOOK_SECONDS: '4',
  SYNC_DOUBT_SECONDS: '1',
  MANAGEMENT_API_MAX_PER_SECOND: '400',
  MANAGEMENT_API_MAX_CONCURRENCY: '20',
  // The calls of a killed instance hold their permits until this timeout.
  MANAGEMENT_API_TIMEOUT_MS: '500',
}

/** Whether the API has answered a request for everything since `from`. */
function isAllRead(from: number, msns: readonly string[]): boolean {
  const since = instances.api.requests.filter(({ at, status }) => at > from && status > 0)
  const paths = new Set(since.map(({ path }) => path))
  const webhooks = new Set(since.map(({ headers }) => headers.merchantSerialNumber))
  return (
    paths.has('/management/v1/sales-units') &&
    paths.has('/management/v2/product-orders?includeExpired=true') &&
    since.some(({ path, headers }) => path.startsWith('/webhooks') && !headers.merchantSerialNumber) &&
    msns.every((msn) => paths.has(`/management/v1/sales-units/${msn}`) && webhooks.has(msn))
  )
}

/** Kills an instance and ends its leases at once; otherwise they expire after 15 s. */
async function kill({ child, ended }: Running): Promise<void> {
  child.kill('SIGKILL')
  await ended
  const database = instances.open()
  await database.pool.query('update organisation_sync set leased_until = now()')
  await database.close()
}

const tables = { sales_units: 'salesUnit', product_orders: 'productOrder', webhooks: 'webhook' } as const

async function readStore(): Promise<{ rows: Map<string, Json>; history: Change[] }> {
  const database = instances.open()
  const rows = new Map<string, Json>()
  for (const [table, resource] of Object.entries(tables)) {
    const found = await database.pool.query<StoredRecord>(`select * from ${table} where removed_at is null`)
    for (const row of found.rows) rows.set(`${resource} ${row.key}`, currentOf(row))
  }
  const history = await database.pool.query<Change>(
    `select * from changes where resource in ('salesUnit', 'productOrder', 'webhook') order by id`,
  )
  await database.close()
  return { rows, history: history.rows }
}

it(`of two instances, one killed ${rounds} times at random: the store is complete and consistent`, async () => {
  const truth = createTruth(world, random)
  const msns = () =>
    [...truth.now().keys()].filter((name) => name.startsWith('salesUnit ')).map((name) => name.slice(10))

  const begun = Date.now()
  const running = [await startReady(), await startReady()]
  await until(() => isAllRead(begun, msns()), 180_000)
  await until(async () => isWritten(truth.now()), 180_000)

  for (let round = 1; round <= rounds; round += 1) {
    truth.change(round)
    const asked = instances.api.requests.length
    await until(() => instances.api.requests.length > asked + 1)
    for (const instance of running) expect([instance.child.exitCode, errorsOf(instance)]).toEqual([null, []])
    // A random moment and a random instance: either may hold the lease.
    await sleep(random.below(600))
    const [killed] = running.splice(random.below(2), 1)
    if (killed) await kill(killed)
    running.push(await startReady())
  }

  const ended = Date.now()
  await until(() => isAllRead(ended, msns()), 180_000)
  for (const instance of running) instance.child.kill('SIGTERM')
  for (const instance of running) expect([await instance.ended, errorsOf(instance)]).toEqual([0, []])
  // The next instance reads again what was in flight at the end.
  const last = await startReady()
  await until(async () => isWritten(truth.now()), 180_000)
  last.child.kill('SIGTERM')
  expect(await last.ended).toBe(0)

  const { rows, history } = await readStore()
  expect(truth.compare(rows, history)).toEqual([])
  expect(history.filter(({ kind }) => kind === 'changed').length).toBeGreaterThan(rounds)
}, 600_000)

/** Whether the store equals the current truth; a later difference is then a mistake and not a delay. */
async function isWritten(now: ReadonlyMap<string, Json>): Promise<boolean> {
  const { rows } = await readStore()
  if (rows.size !== now.size) return false
  return [...now].every(([name, json]) => Object.keys(differences(rows.get(name) ?? {}, json)).length === 0)
}

async function startReady(): Promise<Running> {
  const instance = instances.start({ ...shortIntervals, LOG_LEVEL: 'info' })
  await instance.says(/portal ready/)
  return instance
}

function errorsOf(instance: Running): string[] {
  return instance
    .output()
    .split('\n')
    .filter((line) => line !== '' && !/"level":[1-4]0/.test(line))
}
