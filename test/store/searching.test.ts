import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Partner } from '../../src/domain/organisation.ts'
import type { PageSize } from '../../src/domain/paging.ts'
import type { Database } from '../../src/store/database.ts'
import { countByStatus, findProductOrders } from '../../src/store/product-orders.ts'
import { openTestDatabase } from '../support/database.ts'

const partner: Partner = { kind: 'partner', id: '12345', name: 'Nordlys' }
const paging = { sort: { column: 'seen', descending: false }, size: 25 as PageSize } as const
const everything = { q: '', status: '', type: '', product: '', market: '', expired: true }
/** More than the query counts; every third order is named Kiosk, the others Kafé. */
const count = 3300

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
  await sql`
    insert into product_orders (organisation, key, status, scheme, business_id, merchant_name, listed,
      first_seen_at, last_seen_at, changed_at)
    select 'partner/12345', 'order-' || number, case when number % 2 = 0 then 'COMPLETED' else 'RECEIVED' end,
      'business:NO:ORG', '987654321', case when number % 3 = 0 then 'Kiosk' else 'Kafé' end,
      jsonb_build_object('number', number), now() + number * interval '1 second', now(), now()
    from generate_series(1, ${count}::int) number`.execute(database.kysely)
})
afterAll(() => database.close())

/** The numbers of the orders on a page, computed from all orders. */
function expected(matches: (number: number) => boolean, page: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
    .filter(matches)
    .slice((page - 1) * paging.size, page * paging.size)
}

async function find(filter: Partial<typeof everything>, page: number, total?: number) {
  const all = { ...everything, ...filter }
  const found = await findProductOrders(database.kysely, partner, all, { ...paging, page, total })
  return { ...found, rows: found.rows.map(({ listed }) => listed?.['number']) }
}

describe('a page of many matches', () => {
  const isKafé = (number: number) => number % 3 !== 0

  it.each([1, 2, 88])('has its rows in order, and a total that says "more": page %i', async (number) => {
    const page = await find({ q: 'KAFÉ' }, number)
    expect(page.rows).toEqual(expected(isKafé, number))
    expect([page.total, page.more, page.hasNext]).toEqual([1000, true, number < 88])
  })

  it.each([1, 2, 88])('has the exact total when it is known: page %i', async (number) => {
    const page = await find({ q: 'kafé' }, number, 2200)
    expect(page.rows).toEqual(expected(isKafé, number))
    expect([page.total, page.more, page.hasNext]).toEqual([2200, false, number < 88])
  })

  it('is the same with a counted and a known total when there are few matches', async () => {
    const rows = expected((number) => String(number).startsWith('321'), 1)
    for (const total of [undefined, rows.length]) {
      const page = await find({ q: 'order-321' }, 1, total)
      expect([page.rows, page.total, page.more]).toEqual([rows, rows.length, false])
    }
    expect((await find({ q: 'no match' }, 1, 0)).rows).toEqual([])
  })

  it('is counted by status, regardless of the status in the filter', async () => {
    const filter = { ...everything, q: 'kiosk', status: 'COMPLETED' }
    expect(await countByStatus(database.kysely, partner, filter)).toEqual([
      { value: 'RECEIVED', count: 550 },
      { value: 'COMPLETED', count: 550 },
    ])
    const page = await find({ q: 'kiosk', status: 'COMPLETED' }, 1, 550)
    expect(page.rows).toEqual(expected((number) => number % 6 === 0, 1))
    expect(page.total).toBe(550)
  })
})

describe('sorting by an optional column', () => {
  it.each([false, true])('puts those without it last: descending %s', async (descending) => {
    const other: Partner = { kind: 'partner', id: '23456', name: 'Fjordkasse' }
    await sql`
      insert into product_orders (organisation, key, status, scheme, business_id, product_type, listed,
        first_seen_at, last_seen_at, changed_at)
      select 'partner/23456', 'order-' || number, 'RECEIVED', 'business:NO:ORG', '987654321',
        case when number % 2 = 0 then 'TYPE-' || number end, jsonb_build_object('number', number), now(), now(), now()
      from generate_series(1, 4) number on conflict do nothing`.execute(database.kysely)
    const sort = { column: 'product', descending } as const
    const { rows } = await findProductOrders(database.kysely, other, everything, { ...paging, page: 1, sort })
    const numbers = rows.map(({ listed }) => listed?.['number'])
    expect(numbers).toEqual(descending ? [4, 2, 3, 1] : [2, 4, 1, 3])
  })
})
