import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createRandom } from '../../src/demo/world/random.ts'
import { createDemoWorld } from '../../src/demo/world.ts'
import type { Change } from '../../src/store/changes.ts'
import type { Json, StoredRecord } from '../../src/store/records.ts'
import { currentOf } from '../../src/sync/compare.ts'
import type { Running } from '../support/process.ts'
import { type Instances, prepareInstances } from './instances.ts'
import { createTruth } from './truth.ts'

const rounds = 20
const world = createDemoWorld({ salesUnits: 80 })
const random = createRandom(20_261_125)

let instances: Instances
beforeAll(async () => {
  instances = await prepareInstances(world)
  instances.api.weather.latencyMs = 4
})
afterAll(async () => instances.stop())

/** Reads everything again every second or two, so that there is always something under way. */
const restless = {
  SYNC_LIST_IDLE_SECONDS: '1',
  SYNC_DETAIL_SECONDS: '2',
  SYNC_WEBHOOK_SECONDS: '2',
  SYNC_DOUBT_SECONDS: '1',
  MANAGEMENT_API_MAX_PER_SECOND: '400',
  MANAGEMENT_API_MAX_CONCURRENCY: '20',
  // What a killed instance had in flight counts for as long as a call may take.
  MANAGEMENT_API_TIMEOUT_MS: '500',
}

const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await setTimeout(20)
}

/** Everything has been asked for, and answered, since `from`. */
const isAllRead = (from: number, msns: readonly string[]): boolean => {
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

const kill = async ({ child, ended }: Running): Promise<void> => {
  child.kill('SIGKILL')
  await ended
  // Another instance takes up the jobs of a killed one after its heartbeat is over; here nobody waits for that.
  const database = instances.open()
  const { rows } = await database.pool.query<{ schema: string }>('select current_schema() as schema')
  const jobs = `${rows[0]?.schema}_jobs`
  await database.pool.query(`update ${jobs}.job set state = 'completed' where state = 'active'`)
  await database.close()
}

const tables = { sales_units: 'salesUnit', product_orders: 'productOrder', webhooks: 'webhook' } as const

const readStore = async (): Promise<{ rows: Map<string, Json>; history: Change[] }> => {
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

it(`killed ${rounds} times at random during sync, it loses, doubles and halves nothing`, async () => {
  const truth = createTruth(world, random)
  const msns = () =>
    [...truth.now().keys()].filter((name) => name.startsWith('salesUnit ')).map((name) => name.slice(10))

  const begun = Date.now()
  const first = instances.start(restless)
  await until(() => isAllRead(begun, msns()))
  await setTimeout(1000)
  await kill(first)

  for (let round = 1; round <= rounds; round += 1) {
    truth.happen(round)
    const asked = instances.api.requests.length
    const instance = instances.start(restless)
    await Promise.race([until(() => instances.api.requests.length > asked + 1), instance.ended])
    expect([instance.child.exitCode, instance.output()]).toEqual([null, instance.output()])
    await setTimeout(random.below(600))
    await kill(instance)
  }

  const ended = Date.now()
  const last = instances.start(restless)
  await until(() => isAllRead(ended, msns()))
  // What was asked for last is written a moment later.
  await setTimeout(1500)
  last.child.kill('SIGTERM')
  const exitCode = await last.ended
  expect([exitCode, last.output()]).toEqual([0, last.output()])

  const { rows, history } = await readStore()
  expect(truth.compare(rows, history)).toEqual([])
  expect(history.filter(({ kind }) => kind === 'changed').length).toBeGreaterThan(rounds)
  expect(history.some(({ kind }) => kind === 'removed')).toBe(true)
}, 600_000)
