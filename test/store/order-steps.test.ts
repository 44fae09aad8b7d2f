import { sql } from 'kysely'
import { expect, it } from 'vitest'
import type { Database } from '../../src/store/database.ts'
import { openTestDatabase } from '../support/database.ts'

const day = (number: number): Date => new Date(Date.UTC(2026, 10, number, 12))

async function insert(database: Database, key: string, status: string, at: Date, type = 'PREFILL'): Promise<void> {
  await sql`
    insert into product_orders (organisation, key, status, product_order_type, listed, first_seen_at, last_seen_at, changed_at)
    values ('partner/12345', ${key}, ${status}, ${type}, '{}', ${at}, ${at}, ${at})`.execute(database.kysely)
}

async function become(database: Database, key: string, status: string, at: Date): Promise<void> {
  await sql`update product_orders set status = ${status}, changed_at = ${at} where key = ${key}`.execute(
    database.kysely,
  )
}

/** The days of November on which the order reached each status, its rank, and how far it came. */
async function stepsOf(database: Database, key: string) {
  const { rows } = await sql<Record<string, Date | number | null>>`
    select viewed_at as viewed, submitted_at as submitted, completed_at as completed, rejected_at as rejected,
      expired_at as expired, expires_at as expires, rank, reached from product_orders where key = ${key}`.execute(
    database.kysely,
  )
  const values = Object.entries(rows[0] ?? {}).filter(([, value]) => value !== null)
  return Object.fromEntries(values.map(([name, value]) => [name, value instanceof Date ? value.getUTCDate() : value]))
}

it('an order keeps when it reached each status first, while its link has an end until it is submitted', async () => {
  const database = await openTestDatabase()
  await insert(database, 'a', 'RECEIVED', day(1))
  expect(await stepsOf(database, 'a')).toEqual({ expires: 15, rank: 1, reached: 1 })
  await become(database, 'a', 'MERCHANT_VIEWED', day(3))
  await become(database, 'a', 'MERCHANT_VIEWED', day(4))
  expect(await stepsOf(database, 'a')).toEqual({ viewed: 3, expires: 15, rank: 1, reached: 2 })
  await become(database, 'a', 'ORDER_SUBMITTED', day(5))
  await become(database, 'a', 'MERCHANT_VIEWED', day(6))
  await become(database, 'a', 'ORDER_SUBMITTED', day(7))
  await become(database, 'a', 'COMPLETED', day(9))
  expect(await stepsOf(database, 'a')).toEqual({ viewed: 3, submitted: 5, completed: 9, rank: 4, reached: 4 })

  await insert(database, 'b', 'REJECTED', day(2), 'MANUAL')
  expect(await stepsOf(database, 'b')).toEqual({ rejected: 2, rank: 5, reached: 3 })
  await insert(database, 'c', 'RECEIVED', day(2), 'MANUAL')
  expect(await stepsOf(database, 'c')).toEqual({ rank: 2, reached: 1 })
  await insert(database, 'd', 'ON_HOLD', day(2))
  expect(await stepsOf(database, 'd')).toEqual({ rank: 6, reached: 1 })
  await database.close()
})
