import type { DemoSalesUnit, DemoWorld } from '../src/demo/world/types.ts'
import { pageSizes } from '../src/paging.ts'
import { merchantKey } from '../src/sync/resources.ts'
import type { RunningPortal } from './stage.ts'

/** Every page of a partner, by a name, and the records that they show. */
export type Site = {
  readonly pages: ReadonlyMap<string, string>
  /** Of the sales units, where nobody leafs to. */
  readonly lastPage: string
  /** Keys in the table of readings. */
  readonly shown: readonly string[]
}

/** Found in most names of every market. */
const commonWord = 'fitness'
const siblings = 4

const only = <Value>(value: Value | undefined, what: string): Value => {
  if (value === undefined) throw new Error(`the world has no ${what}`)
  return value
}

/** The pages of a partner of the world, alike in what they show for partners of every size. */
export const siteOf = (world: DemoWorld, partnerId: string): Site => {
  const units = world.salesUnits.filter((unit) => unit.partnerId === partnerId)
  const ownerOf = ({ body }: DemoSalesUnit): string => merchantKey(body.businessIdentifier)
  const owned = Map.groupBy(units, ownerOf)
  const [merchant, theirs] = only(
    [...owned].find(([, some]) => some.length === siblings),
    `merchant with ${siblings} sales units`,
  )
  const { msn } = only(theirs[0], 'sales unit').body
  const order = only(
    world.productOrders.find((row) => row.partnerId === partnerId && row.body.status === 'COMPLETED'),
    'product order',
  ).body
  const base = `/partners/${partnerId}`
  return {
    pages: new Map([
      ['home', base],
      ['product orders', `${base}/product-orders`],
      ['product orders, filtered', `${base}/product-orders?status=COMPLETED&q=a`],
      ['a product order', `${base}/product-orders/${order.productOrderId}`],
      ['templates', `${base}/templates`],
      ['sales units', `${base}/sales-units`],
      ['sales units, page 4', `${base}/sales-units?page=4`],
      ['sales units, q of many', `${base}/sales-units?q=${commonWord}`],
      ['sales units, q of 1 letter', `${base}/sales-units?q=a`],
      ['sales units, q of one', `${base}/sales-units?q=${msn}`],
      ['a sales unit', `${base}/sales-units/${msn}`],
      ['a merchant', `${base}/merchants/${merchant}`],
      ['price packages', `${base}/price-packages`],
      ['webhooks', `${base}/developers/webhooks`],
    ]),
    lastPage: `${base}/sales-units?page=${Math.ceil(units.length / pageSizes[0])}`,
    shown: [msn, merchant, order.productOrderId],
  }
}

/** Lists, and what the pages show, as if it had all been read just now. */
export const makeFresh = async ({ ask }: RunningPortal, shown: readonly string[]): Promise<void> => {
  await ask.query(
    `update sync_state set checked_at = now(), due_at = now() + interval '1 day', requested_at = null,
      failing_since = null, failure = null, failures = 0
     where key = '' or key = any($1)`,
    [shown],
  )
}

/** The same as if all of it had been read long ago and were due. */
export const makeStale = async ({ ask }: RunningPortal, shown: readonly string[]): Promise<void> => {
  await ask.query(
    `update sync_state set checked_at = now() - interval '1 hour', due_at = 'epoch', requested_at = null
     where key = '' or key = any($1)`,
    [shown],
  )
}
