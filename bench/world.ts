import { createDemoWorld } from '../demo/world.ts'
import { manyOrders } from '../demo/world/product-orders.ts'
import { createRandom } from '../demo/world/random.ts'
import type { DemoSalesUnit, DemoWorld } from '../demo/world/types.ts'

/** The partner ID of the large partner, and of the small one. */
export const largeId = '100000'
export const smallId = '100001'

/**
 * Creates partners 100000, 100001 and so on with these numbers of sales units, four per merchant; those with 100 or
 * more also have product orders. They only differ in size, and are the same in every process.
 */
export function createWorld(sizes: readonly number[]): DemoWorld {
  const partners = sizes.map((size, index) => ({ size, id: String(Number(largeId) + index) }))
  const partnerIds = partners.map(({ id }) => id)
  const owners = partners.flatMap(({ size, id }) => Array.from({ length: size }, () => id))
  const demo = createDemoWorld({ salesUnits: owners.length })
  // The generated sales units are last, and begin with one of each merchant.
  const generated = demo.salesUnits.slice(-owners.length)
  const salesUnits = generated.map(({ body }, index): DemoSalesUnit => {
    const { businessIdentifier } = generated[Math.floor(index / 4)]?.body ?? body
    return { partnerId: owners[index] ?? '', active: true, body: { ...body, businessIdentifier } }
  })
  const ofAll = <Row extends { partnerId: string }>(rows: readonly Row[]): Row[] =>
    rows
      .filter(({ partnerId }) => partnerId === '12345')
      .flatMap((row) => partnerIds.map((partnerId) => ({ ...row, partnerId })))
  return {
    organisations: partnerIds.map((id) => ({
      organisation: { kind: 'partner', id, name: `Partner ${id}` },
      keys: { type: 'partner', clientId: id, clientSecret: 'secret', subscriptionKey: id },
    })),
    merchants: demo.merchants,
    salesUnits,
    productOrders: partners.flatMap(({ size, id }) => {
      const count = size < 100 ? 0 : Math.max(100, size / 20)
      return manyOrders(id, count, salesUnitsOf({ salesUnits }, id), createRandom(Number(id)))
    }),
    pricePackages: ofAll(demo.pricePackages),
    templates: ofAll(demo.templates),
    partnersWithTemplates: partnerIds,
    webhooks: demo.webhooks.flatMap((row) =>
      row.registeredFor === 'partner/23456'
        ? partnerIds.map((id) => ({ ...row, registeredFor: `partner/${id}` }))
        : [row],
    ),
  }
}

/** The sales units of a partner. */
export function salesUnitsOf({ salesUnits }: Pick<DemoWorld, 'salesUnits'>, id: string): DemoSalesUnit[] {
  return salesUnits.filter(({ partnerId }) => partnerId === id)
}
