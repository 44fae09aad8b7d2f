import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Partner } from '../../src/domain/organisation.ts'
import { createLogger } from '../../src/logger.ts'
import type { Database } from '../../src/store/database.ts'
import { applyAnswers, type TimedAnswer } from '../../src/sync/apply.ts'
import { details, lists } from '../../src/sync/resources.ts'
import { isServer, openTestDatabase } from '../support/database.ts'
import { until } from '../support/until.ts'

const bikes: Partner = { kind: 'partner', id: '12345', name: 'Bikes' }
const scheme = 'business:NO:ORG'

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
  // Inserts wait while the test holds the lock.
  await database.pool.query(`
    create function wait_for_test() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock_shared(hashtext(current_schema() || ' test')); return new; end $$`)
})
afterAll(async () => database.close())

function orders(id: string): Promise<unknown> {
  const value = { productOrderId: `order-${id}`, status: 'RECEIVED', businessIdentifier: { scheme, id } }
  return write(lists.productOrders, { source: 'list', key: value.productOrderId, value, askedMs: 0 })
}

function merchant(id: string): Promise<unknown> {
  const value = { businessIdentifier: { scheme, id }, name: `Merchant ${id}` }
  return write(details.merchant, { source: 'details', key: `${scheme}/${id}`, value, askedMs: 0 })
}

async function write(kind: Parameters<typeof applyAnswers>[2], answer: TimedAnswer): Promise<unknown> {
  return applyAnswers({ db: database.sync, logger: createLogger('silent') }, bikes, kind, [answer])
}

/** The connections that wait for the test, and those that wait for them. */
async function waiting(): Promise<{ forTest: number; forThem: number }> {
  const { rows } = await database.pool.query<{ forTest: number; forThem: number }>(
    `with those as (
       select pid from pg_locks where locktype = 'advisory' and not granted
         and objid::bigint = hashtext(current_schema() || ' test')::bigint & 4294967295)
     select (select count(*)::int from those) as "forTest",
       (select count(*)::int from pg_stat_activity where pg_blocking_pids(pid) && array(select pid from those)) as "forThem"`,
  )
  return rows[0] ?? { forTest: 0, forThem: 0 }
}

// Two transactions at once need a server: PGlite has one connection.
it.runIf(isServer()).each([
  ['orders', 'product_orders', orders, merchant, '987654321'],
  ['merchants', 'merchants', merchant, orders, '987654322'],
] as const)(
  'an order has the name of its merchant, whichever is written in the middle of the other: %s first',
  async (_what, table, first, second, id) => {
    await database.pool.query(`create trigger wait before insert on ${table}
      for each row execute function wait_for_test()`)
    const holder = await database.pool.connect()
    await holder.query(`select pg_advisory_lock(hashtext(current_schema() || ' test'))`)
    const slow = first(id)
    await until(async () => (await waiting()).forTest > 0)
    let isDone = false
    const quick = second(id).then(() => (isDone = true))
    await until(async () => isDone || (await waiting()).forThem > 0)
    await holder.query(`select pg_advisory_unlock(hashtext(current_schema() || ' test'))`)
    holder.release()
    await Promise.all([slow, quick])
    await database.pool.query(`drop trigger wait on ${table}`)
    const { rows } = await database.pool.query(
      `select merchant_name as name from product_orders where business_id = $1`,
      [id],
    )
    expect(rows).toEqual([{ name: `Merchant ${id}` }])
  },
)
