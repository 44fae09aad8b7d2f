import type { z } from 'zod'
import type { Organisation } from '../src/domain/organisation.ts'
import { readLeniently } from '../src/management-api/lenient.ts'
import { merchant } from '../src/management-api/merchants.ts'
import { pricePackage } from '../src/management-api/price-packages.ts'
import { productOrderTemplate } from '../src/management-api/product-order-templates.ts'
import { productOrder } from '../src/management-api/product-orders.ts'
import { salesUnit, salesUnitListItem } from '../src/management-api/sales-units.ts'
import { webhook } from '../src/management-api/webhooks.ts'
import type { Database, Handle } from '../src/store/database.ts'
import { lockOrganisation, recordsOf } from '../src/store/records.ts'
import { writeDecisions } from '../src/sync/apply.ts'
import { asStored, digestOf } from '../src/sync/list-diff.ts'
import type { Answer } from '../src/sync/reconcile.ts'
import { details, type Kind, lists } from '../src/sync/resources.ts'
import {
  pastMerchants,
  pastPricePackages,
  pastSettings,
  pastTemplates,
  pastWebhooks,
  removedMerchants,
} from './history/changes.ts'
import { visibleSalesUnits } from './management-api/visibility.ts'
import type { DemoProductOrder, DemoSalesUnit, DemoWorld } from './world/types.ts'

const dayMs = 86_400_000

/** Larger partners get no history, because writing it takes as long as a sync. */
const mostRows = 3000

/** A record as the sync would have read it at that time; without an item it was gone. */
export type PastRow = { readonly daysAgo: number; readonly key: string; readonly item?: object | undefined }

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
    const visible = visibleSalesUnits(world, organisation)
    const salesUnits = pastSalesUnits(visible)
    const orders = pastOrders(world.productOrders.filter(({ partnerId }) => partnerId === organisation.id))
    if (salesUnits.length + orders.length > mostRows) continue
    const { id } = organisation
    const there = new Set(visible)
    const hidden = world.salesUnits.filter((unit) => unit.partnerId === id && !there.has(unit))
    const listed = { source: 'list' } as const
    const read = { source: 'details' } as const
    await kysely.transaction().execute(async (trx) => {
      const past = async (kind: Kind, schema: Schema, rows: readonly PastRow[], source: typeof listed | typeof read) =>
        write(trx, organisation, { kind, schema, rows, ...source })
      const listedUnits = [...salesUnits, ...pastRemovals(hidden)]
      await past(details.salesUnit, salesUnit, firstDetails(listedUnits, visible, hidden), read)
      await past(lists.salesUnits, salesUnitListItem, listedUnits, listed)
      await past(lists.productOrders, productOrder, orders, listed)
      await past(lists.pricePackages, pricePackage, pastPricePackages(world, id), listed)
      await past(lists.templates, productOrderTemplate, pastTemplates(world, id), listed)
      await past(lists.webhooks, webhook, pastWebhooks(world, id), listed)
      await past(details.salesUnit, salesUnit, pastSettings(visible), read)
      await past(details.merchant, merchant, pastMerchants(world, visible, firstDays(salesUnits)), read)
      await past(details.merchant, merchant, removedMerchants(world, visible, hidden), read)
    })
  }
}

/**
 * Sales units are added at a growing rate for a year, in weekly batches, and daily in the last week. Some were away for
 * three days, some had another name, and some of earlier times are gone.
 */
function pastSalesUnits(salesUnits: readonly DemoSalesUnit[]): PastRow[] {
  const rate = salesUnits.length > 100 ? 40 : 5
  return salesUnits.flatMap(({ body: { msn, name } }, index): PastRow[] => {
    const exact = historyDays * (1 - (index + 1) / salesUnits.length) ** 1.4 + 1
    const daysAgo = exact > 7 ? Math.ceil(exact / 7) * 7 : Math.floor(exact)
    const [key, item] = [msn, { msn, name }]
    const added = { daysAgo, key, item }
    if (index % rate !== 1 || daysAgo < 60) return [added]
    const former = formerOf({ msn, name })
    const goneAgo = 1 + (((index / rate) * 11) % 50)
    const gone = [
      { daysAgo, key: former.msn, item: former },
      { daysAgo: goneAgo, key: former.msn },
    ]
    const away = [
      { daysAgo: goneAgo + 4, key },
      { daysAgo: goneAgo + 1, key, item },
    ]
    const renamed = { daysAgo, key, item: { msn, name: name.toUpperCase() } }
    return [renamed, { daysAgo: daysAgo / 2, key, item }, ...(daysAgo / 2 > goneAgo + 4 ? away : []), ...gone]
  })
}

/** The sales unit that the merchant of this one had in earlier times. */
function formerOf<Unit extends { readonly msn: string; readonly name: string }>(unit: Unit): Unit {
  return { ...unit, msn: `9${unit.msn.slice(1)}`, name: `${unit.name} 2` }
}

/** The details of the sales units that are gone when they came, which tell their merchants and markets. */
function firstDetails(
  listed: readonly PastRow[],
  visible: readonly DemoSalesUnit[],
  hidden: readonly DemoSalesUnit[],
): PastRow[] {
  const first = firstDays(listed)
  const gone = [...visible.map(({ body }) => formerOf(body)), ...hidden.map(({ body }) => body)]
  return gone.flatMap((item) => {
    const daysAgo = first.get(item.msn)
    return daysAgo === undefined ? [] : [{ daysAgo, key: item.msn, item }]
  })
}

/** How many days ago each record was there first, by key. */
function firstDays(rows: readonly PastRow[]): ReadonlyMap<string, number> {
  const byKey = Map.groupBy(rows, ({ key }) => key)
  return new Map([...byKey].map(([key, some]) => [key, Math.max(...some.map(({ daysAgo }) => daysAgo))]))
}

/** Sales units that the API no longer has were there, went, came back and went again. */
function pastRemovals(hidden: readonly DemoSalesUnit[]): PastRow[] {
  return hidden.flatMap(({ body: { msn, name } }) =>
    [200, 75, 61, 12].map((daysAgo, at) => ({ daysAgo, key: msn, item: at % 2 === 1 ? undefined : { msn, name } })),
  )
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
    const key = lists.productOrders.keyOf(body)
    const passed = course.map(({ status, after }) => ({
      daysAgo: madeAgo - after,
      key,
      item: status === body.status ? body : { ...before, status },
    }))
    return [{ daysAgo: madeAgo, key, item: { ...before, status: 'RECEIVED' } }, ...passed]
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

type Schema = z.ZodType<Readonly<Record<string, unknown>>>

async function write(
  trx: Handle,
  organisation: Organisation,
  { kind, schema, rows, source }: { kind: Kind; schema: Schema; rows: readonly PastRow[]; source: 'list' | 'details' },
): Promise<void> {
  const now = await lockOrganisation(trx, organisation)
  const days = Map.groupBy(rows, ({ daysAgo }) => daysAgo)
  for (const [daysAgo, ofDay] of [...days].toSorted(([one], [other]) => other - one)) {
    const at = new Date(now.getTime() - daysAgo * dayMs)
    const answers = ofDay.flatMap(({ key, item }): Answer[] => {
      if (!item) return [{ source, key, value: undefined, askedAt: at }]
      // As the sync reads it: records of --oddities have members that cannot be read, or no key.
      const read = readLeniently(schema, item)
      if (read.issues) return []
      return [{ source, key, value: asStored({ ...read.record }), digest: digestOf({ ...item }), askedAt: at }]
    })
    const keys = answers.map(({ key }) => key)
    await writeDecisions(trx, organisation, kind, await recordsOf(trx, organisation, kind.table, keys), answers, at)
  }
}
