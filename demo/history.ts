import type { z } from 'zod'
import { readLeniently } from '../src/management-api/lenient.ts'
import { productOrder } from '../src/management-api/product-orders.ts'
import { salesUnitListItem } from '../src/management-api/sales-units.ts'
import type { Organisation } from '../src/domain/organisation.ts'
import type { Database, Handle } from '../src/store/database.ts'
import { lockOrganisation, recordsOf } from '../src/store/records.ts'
import { writeDecisions } from '../src/sync/apply.ts'
import { asStored, digestOf } from '../src/sync/list-diff.ts'
import { type ListKind, lists } from '../src/sync/resources.ts'
import { visibleSalesUnits } from './management-api/visibility.ts'
import type { DemoProductOrder, DemoSalesUnit, DemoWorld } from './world/types.ts'

const dayMs = 86_400_000

/** Larger partners get no history, because writing it takes as long as a sync. */
const mostRows = 3000

/** A row of a list as the sync would have read it at that time. */
type PastRow = { readonly daysAgo: number; readonly item: object }

const historyDays = 330

/** The statuses that a prefilled order passes after RECEIVED; others are decided at once. */
const courses: Readonly<Record<string, readonly string[]>> = {
  MERCHANT_VIEWED: ['MERCHANT_VIEWED'],
  ORDER_SUBMITTED: ['MERCHANT_VIEWED', 'ORDER_SUBMITTED'],
  COMPLETED: ['MERCHANT_VIEWED', 'ORDER_SUBMITTED', 'COMPLETED'],
  REJECTED: ['MERCHANT_VIEWED', 'ORDER_SUBMITTED', 'REJECTED'],
}
/** The least days that a step takes, and how many more it may take. */
const stepDays: Readonly<Record<string, readonly [least: number, more: number]>> = {
  MERCHANT_VIEWED: [0.5, 3],
  ORDER_SUBMITTED: [1, 4],
  COMPLETED: [1, 3],
  REJECTED: [1, 2],
}

const open = new Set(['RECEIVED', 'MERCHANT_VIEWED', 'ORDER_SUBMITTED'])

/**
 * Writes a year of history for the partners of the world, as if the portal had run all that time, so that charts have
 * data; the API itself has no history. For a migrated database without records.
 */
export async function writeDemoHistory({ kysely }: Database, world: DemoWorld): Promise<void> {
  for (const { organisation } of world.organisations) {
    if (organisation.kind !== 'partner') continue
    const salesUnits = pastSalesUnits(visibleSalesUnits(world, organisation))
    const orders = pastOrders(world.productOrders.filter(({ partnerId }) => partnerId === organisation.id))
    if (salesUnits.length + orders.length > mostRows) continue
    await kysely.transaction().execute(async (trx) => {
      await write(trx, organisation, {
        kind: lists.salesUnits,
        schema: salesUnitListItem,
        rows: salesUnits,
      })
      await write(trx, organisation, { kind: lists.productOrders, schema: productOrder, rows: orders })
    })
  }
}

/** Sales units are added at a growing rate for a year, in weekly batches, and daily in the last week. */
function pastSalesUnits(salesUnits: readonly DemoSalesUnit[]): PastRow[] {
  return salesUnits.map(({ body: { msn, name } }, index) => {
    const daysAgo = historyDays * (1 - (index + 1) / salesUnits.length) ** 1.4 + 1
    return { daysAgo: daysAgo > 7 ? Math.ceil(daysAgo / 7) * 7 : Math.floor(daysAgo), item: { msn, name } }
  })
}

/** Orders are spread over the year; open prefilled ones over the last 13 days; a few were rejected recently. */
function pastOrders(orders: readonly DemoProductOrder[]): PastRow[] {
  return orders.flatMap(({ body }, index) => {
    const course = courseOf(body, index)
    const decided = Math.ceil(course.at(-1)?.after ?? 0)
    const waits = open.has(body.status) && body.productOrderType === 'PREFILL'
    const isRecent = waits || (body.status === 'REJECTED' && index % 4 === 0)
    const madeAgo = isRecent
      ? decided + ((index * 5) % (13 - decided)) + 0.5
      : decided + 1 + ((index * 37) % historyDays)
    const { salesUnit: _none, ...before } = body
    const passed = course.map(({ status, after }) => ({
      daysAgo: madeAgo - after,
      item: status === body.status ? body : { ...before, status },
    }))
    return [{ daysAgo: madeAgo, item: { ...before, status: 'RECEIVED' } }, ...passed]
  })
}

/** The statuses of an order after RECEIVED, and after how many days it reached each. */
function courseOf({ status, productOrderType }: DemoProductOrder['body'], index: number) {
  const isPrefilled = productOrderType === 'PREFILL'
  if (status === 'RECEIVED') return []
  if (status === 'EXPIRED') {
    const opened = isPrefilled && index % 3 > 0 ? [{ status: 'MERCHANT_VIEWED', after: 2 }] : []
    return [...opened, { status, after: 14 }]
  }
  let after = 0
  return ((isPrefilled ? courses[status] : undefined) ?? [status]).map((passed, step) => {
    const [least, more] = stepDays[passed] ?? [1, 1]
    after += least + ((index * (step + 3)) % (more + 1))
    return { status: passed, after }
  })
}

async function write(
  trx: Handle,
  organisation: Organisation,
  {
    kind,
    schema,
    rows,
  }: { kind: ListKind; schema: z.ZodType<Readonly<Record<string, unknown>>>; rows: readonly PastRow[] },
): Promise<void> {
  const now = await lockOrganisation(trx, organisation)
  const days = Map.groupBy(rows, ({ daysAgo }) => daysAgo)
  for (const [daysAgo, ofDay] of [...days].toSorted(([one], [other]) => other - one)) {
    const at = new Date(now.getTime() - daysAgo * dayMs)
    const answers = ofDay.flatMap(({ item }) => {
      // As the sync reads it: records of --oddities have members that cannot be read, or no key.
      const read = readLeniently(schema, item)
      if (read.issues) return []
      const value = { ...read.record }
      const digest = digestOf({ ...item })
      return { source: 'list' as const, key: kind.keyOf(value), value: asStored(value), digest, askedAt: at }
    })
    const keys = answers.map(({ key }) => key)
    await writeDecisions(trx, organisation, kind, await recordsOf(trx, organisation, kind.table, keys), answers, at)
  }
}
