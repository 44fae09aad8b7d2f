import { createDemoWorld } from '../src/demo/world.ts'
import { organisationsFile, type OrganisationsFile } from '../src/demo/world/keys.ts'
import { manyOrders } from '../src/demo/world/product-orders.ts'
import { createRandom } from '../src/demo/world/random.ts'
import type { DemoSalesUnit, DemoWorld } from '../src/demo/world/types.ts'
import type { Organisation } from '../src/organisation.ts'

/** How much there is: sales units and product orders of the large partner, and sales units of the small one. */
export type WorldSize = { readonly large: number; readonly orders: number; readonly small: number }

export const largeId = '23456'
export const smallId = '34567'

const ofSmall = (unit: DemoSalesUnit, index: number): DemoSalesUnit => ({
  ...unit,
  partnerId: smallId,
  body: { ...unit.body, msn: String(9_000_000 + index) },
})

/**
 * The demo world with two generated partners that differ in nothing but size: merchants, price packages, templates
 * and product orders are of one kind. The same in every process that asks for the same size.
 */
export const createBenchWorld = ({ large, orders, small }: WorldSize): DemoWorld => {
  const world = createDemoWorld({ salesUnits: large })
  const units = createDemoWorld({ salesUnits: small }).salesUnits.filter(
    ({ partnerId }) => partnerId === largeId,
  )
  const ours = world.salesUnits.filter(({ partnerId }) => partnerId === largeId)
  const theirs = units.map(ofSmall)
  const offersOf = <Row extends { partnerId: string }>(rows: readonly Row[], from: string): Row[] =>
    [largeId, smallId].flatMap((partnerId) =>
      rows.filter((row) => row.partnerId === from).map((row) => ({ ...row, partnerId })),
    )
  const webhooks = world.webhooks.filter(({ registeredFor }) => registeredFor === `partner/${largeId}`)
  return {
    ...world,
    salesUnits: [...ours, ...theirs],
    productOrders: [
      ...manyOrders(largeId, orders, ours, createRandom(6)),
      ...(small > 0 ? manyOrders(smallId, Math.min(orders, small), theirs, createRandom(7)) : []),
    ],
    pricePackages: offersOf(world.pricePackages, '12345'),
    templates: offersOf(world.templates, '12345'),
    partnersWithTemplates: [largeId, smallId],
    webhooks: [
      ...world.webhooks.filter(({ registeredFor }) => !registeredFor.startsWith('partner/')),
      ...webhooks,
      ...webhooks.map((row) => ({ ...row, registeredFor: `partner/${smallId}` })),
      // As many on their own sales units, by share, as the large partner has.
      ...theirs
        .filter((_, index) => index % 30 === 0)
        .map(({ body: { msn } }) => ({
          registeredFor: `msn/${msn}`,
          body: {
            id: `hook-${msn}`,
            url: `https://pos.example/tills/${msn}`,
            events: ['user.checked-in.v1'],
          },
        })),
    ],
  }
}

/** The organisations file of these partners, with nobody else in it. */
export const organisationsOf = (world: DemoWorld, ids: readonly string[]): OrganisationsFile => ({
  partners: organisationsFile(world).partners.filter(({ id }) => ids.includes(id)),
  merchants: [],
})

/** A partner of the world, as the store wants it. */
export const partnerOf = (world: DemoWorld, id: string): Organisation => {
  const found = world.organisations.find(({ organisation: { kind, ...rest } }) => {
    return kind === 'partner' && 'id' in rest && rest.id === id
  })
  if (!found) throw new Error(`no partner ${id}`)
  return found.organisation
}
