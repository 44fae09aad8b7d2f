import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Partner } from '../../src/domain/organisation.ts'
import type { PageSize } from '../../src/domain/paging.ts'
import type { Database } from '../../src/store/database.ts'
import {
  countByStatus,
  everyOrder,
  findProductOrders,
  type ProductOrderFilter,
} from '../../src/store/product-orders.ts'
import { openTestDatabase } from '../support/database.ts'

const partner: Partner = { kind: 'partner', id: '12345', name: 'Nordlys' }
const paging = { sort: { column: 'changed', descending: false }, size: 25 as PageSize } as const
/** More than one statement counts and sorts; every third order is named Kiosk, the others Kafé. */
const count = 3300

let database: Database
beforeAll(async () => {
  database = await openTestDatabase()
  await sql`
    insert into product_orders (organisation, key, status, scheme, business_id, merchant_name, listed,
      first_seen_at, last_seen_at, changed_at)
    select 'partner/12345', 'order-' || number, case when number % 2 = 0 then 'COMPLETED' else 'RECEIVED' end,
      'business:NO:ORG', '987654321', case when number % 3 = 0 then 'Kiosk' else 'Kafé' end,
      jsonb_build_object('number', number), now(), now(), now() + number * interval '1 second'
    from generate_series(1, ${count}::int) number`.execute(database.kysely)
})
afterAll(() => database.close())

/** The numbers of the orders on a page, computed from all orders. */
function expected(matches: (number: number) => boolean, page: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
    .filter(matches)
    .slice((page - 1) * paging.size, page * paging.size)
}

async function find(
  filter: Partial<ProductOrderFilter>,
  page: number,
  { total, listTotal = count }: { readonly total?: number; readonly listTotal?: number } = {},
) {
  const all = { ...everyOrder, ...filter }
  const found = await findProductOrders(database.kysely, partner, all, { ...paging, page, total, listTotal })
  return { ...found, rows: found.rows.map(({ listed }) => listed?.['number']) }
}

describe('a page of many matches', () => {
  const isKafé = (number: number) => number % 3 !== 0

  it.each([1, 2, 88])('has its rows in order, and the exact total of a short list: page %i', async (number) => {
    const page = await find({ q: 'KAFÉ' }, number)
    expect(page.rows).toEqual(expected(isKafé, number))
    expect([page.total, page.more, page.hasNext]).toEqual([2200, false, number < 88])
  })

  it.each([1, 2, 88])('says "more" in a long list, but not on the last page: page %i', async (number) => {
    const page = await find({ q: 'KAFÉ' }, number, { listTotal: 20_001 })
    expect(page.rows).toEqual(expected(isKafé, number))
    expect([page.total, page.more, page.hasNext]).toEqual(number < 88 ? [1000, true, true] : [2200, false, false])
  })

  it('is the last page when a page past the end is asked for', async () => {
    for (const total of [undefined, 2200]) {
      const page = await find({ q: 'kafé' }, 300, total === undefined ? {} : { total })
      expect([page.number, page.rows, page.total]).toEqual([88, expected(isKafé, 88), 2200])
    }
    const none = await find({ q: 'no match' }, 7)
    expect([none.number, none.rows, none.total]).toEqual([1, [], 0])
  })

  it.each([1, 2, 88])('has the exact total when it is known: page %i', async (number) => {
    const page = await find({ q: 'kafé' }, number, { total: 2200 })
    expect(page.rows).toEqual(expected(isKafé, number))
    expect([page.total, page.more, page.hasNext]).toEqual([2200, false, number < 88])
  })

  it('is the same with a counted and a known total when there are few matches', async () => {
    const rows = expected((number) => String(number).startsWith('321'), 1)
    for (const total of [undefined, rows.length]) {
      const page = await find({ q: 'order-321' }, 1, total === undefined ? {} : { total })
      expect([page.rows, page.total, page.more]).toEqual([rows, rows.length, false])
    }
    expect((await find({ q: 'no match' }, 1, { total: 0 })).rows).toEqual([])
  })

  it('is counted by status, regardless of the status in the filter', async () => {
    const filter = { ...everyOrder, q: 'kiosk', status: 'COMPLETED' }
    expect(await countByStatus(database.kysely, partner, filter)).toEqual([
      { value: 'RECEIVED', waits: false, count: 550 },
      { value: 'COMPLETED', waits: false, count: 550 },
    ])
    const page = await find({ q: 'kiosk', status: 'COMPLETED' }, 1, { total: 550 })
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
    const { rows } = await findProductOrders(database.kysely, other, everyOrder, { ...paging, page: 1, sort })
    const numbers = rows.map(({ listed }) => listed?.['number'])
    expect(numbers).toEqual(descending ? [4, 2, 3, 1] : [2, 4, 1, 3])
  })
})
