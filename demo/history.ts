import type { z } from 'zod'
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

/** Of a larger partner none is made up: that would take as long as reading it does. */
const mostRows = 3000

/** What the portal would have read so many days ago. */
type Reading = { readonly daysAgo: number; readonly item: object }

const yearsWorth = 330

/** After so many days an order has the status that it has now. */
const decidedAfter: Readonly<Record<string, number>> = {
  RECEIVED: 0,
  MERCHANT_VIEWED: 1,
  ORDER_SUBMITTED: 2,
  COMPLETED: 3,
  REJECTED: 2,
  EXPIRED: 14,
}

const live = new Set(['RECEIVED', 'MERCHANT_VIEWED', 'ORDER_SUBMITTED'])

/**
 * Gives the store a year of history, as if the portal had read the world's partners all that time: the API tells
 * none, and a portal that has just begun has nothing to draw. For a migrated database that has no records yet.
 */
export async function writeDemoHistory({ kysely }: Database, world: DemoWorld): Promise<void> {
  for (const { organisation } of world.organisations) {
    if (organisation.kind !== 'partner') continue
    const salesUnits = salesUnitReadings(visibleSalesUnits(world, organisation))
    const orders = orderReadings(world.productOrders.filter(({ partnerId }) => partnerId === organisation.id))
    if (salesUnits.length + orders.length > mostRows) continue
    await kysely.transaction().execute(async (trx) => {
      await write(trx, organisation, {
        kind: lists.salesUnits,
        schema: salesUnitListItem,
        readings: salesUnits,
      })
      await write(trx, organisation, { kind: lists.productOrders, schema: productOrder, readings: orders })
    })
  }
}

/** Sales units come ever faster for a year, the last within the last week; by weeks, until then. */
function salesUnitReadings(salesUnits: readonly DemoSalesUnit[]): Reading[] {
  return salesUnits.map(({ body: { msn, name } }, index) => {
    const daysAgo = yearsWorth * (1 - (index + 1) / salesUnits.length) ** 1.4 + 1
    return { daysAgo: daysAgo > 7 ? Math.ceil(daysAgo / 7) * 7 : Math.floor(daysAgo), item: { msn, name } }
  })
}

/** Orders come all the year; prefilled ones that still wait within the last 13 days; a few were rejected just now. */
function orderReadings(orders: readonly DemoProductOrder[]): Reading[] {
  return orders.flatMap(({ body }, index) => {
    const decided = decidedAfter[body.status] ?? 1
    const waits = live.has(body.status) && body.productOrderType === 'PREFILL'
    const isRecent = waits || (body.status === 'REJECTED' && index % 4 === 0)
    const madeAgo = isRecent
      ? decided + ((index * 5) % (13 - decided)) + 0.5
      : decided + 1 + ((index * 37) % yearsWorth)
    const { salesUnit: _none, ...before } = body
    const received = { daysAgo: madeAgo, item: { ...before, status: 'RECEIVED' } }
    return decided === 0 ? [received] : [received, { daysAgo: madeAgo - decided, item: body }]
  })
}

async function write(
  trx: Handle,
  organisation: Organisation,
  { kind, schema, readings }: { kind: ListKind; schema: z.ZodType<object>; readings: readonly Reading[] },
): Promise<void> {
  const now = await lockOrganisation(trx, organisation)
  const days = Map.groupBy(readings, ({ daysAgo }) => daysAgo)
  for (const [daysAgo, ofDay] of [...days].toSorted(([one], [other]) => other - one)) {
    const at = new Date(now.getTime() - daysAgo * dayMs)
    const answers = ofDay.map(({ item }) => {
      const value = { ...schema.parse(item) }
      const digest = digestOf({ ...item })
      return { source: 'list' as const, key: kind.keyOf(value), value: asStored(value), digest, askedAt: at }
    })
    const keys = answers.map(({ key }) => key)
    await writeDecisions(trx, organisation, kind, await recordsOf(trx, organisation, kind.table, keys), answers, at)
  }
}
