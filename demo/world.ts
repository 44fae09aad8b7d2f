import { fjordkasse } from './world/fjordkasse.ts'
import { organisations } from './world/credentials.ts'
import { nordlys } from './world/nordlys.ts'
import { addOddities } from './world/oddities.ts'
import { pricePackages, templates } from './world/price-packages.ts'
import { manyOrders, oneOrderOfEach } from './world/product-orders.ts'
import { createRandom } from './world/random.ts'
import type { DemoWorld } from './world/types.ts'
import { webhooks } from './world/webhooks.ts'

/**
 * Creates the demo world, the same every time: partner 12345 (small, handwritten), 23456 (large, generated), 34567
 * (empty), and four merchants with credentials. Each part has its own random stream, so that the size of the large
 * partner changes no id of the small one.
 * @param options.salesUnits active sales units of partner 23456: 1200 by default, at most 400 000
 * @param options.oddities adds records with odd members to partner 12345
 */
export function createDemoWorld({
  salesUnits = 1200,
  oddities = false,
}: { salesUnits?: number; oddities?: boolean } = {}): DemoWorld {
  const small = nordlys()
  const large = fjordkasse(salesUnits, createRandom(2))
  const merchants = [...small.merchants, ...large.merchants]
  const packages = pricePackages(createRandom(3))
  for (const [msn, name] of unitsWithPackage) {
    const unit = small.salesUnits.find(({ body }) => body.msn === msn)
    const given = packages.find(({ body }) => body.name === name)
    if (unit && given) unit.body.pricePackageId = given.body.pricePackageId
  }
  const active = new Set(
    merchants
      .filter(({ body }) => body.status === 'ACTIVE')
      .map(
        ({
          body: {
            businessIdentifier: { scheme, id },
          },
        }) => `${scheme}/${id}`,
      ),
  )
  const visible = small.salesUnits.filter(
    ({
      partnerId,
      active: switchedOn,
      body: {
        businessIdentifier: { scheme, id },
      },
    }) => partnerId === '12345' && switchedOn && active.has(`${scheme}/${id}`),
  )
  const world: DemoWorld = {
    organisations: organisations(merchants, large.salesUnits, createRandom(4)),
    merchants,
    salesUnits: [...small.salesUnits, ...large.salesUnits],
    productOrders: [
      ...oneOrderOfEach('12345', visible, createRandom(5)),
      ...manyOrders('23456', ordersOf(salesUnits), large.salesUnits, createRandom(6)),
    ],
    pricePackages: packages,
    templates: templates(packages, createRandom(7)),
    partnersWithTemplates: ['12345', '34567'],
    webhooks: webhooks(large.salesUnits, createRandom(8)),
  }
  if (oddities) addOddities(world)
  return world
}

/** Sales units whose details tell their price package, as the API may do one day. */
const unitsWithPackage = [
  ['123456', 'Standard'],
  ['123789', 'Standard'],
  ['230001', 'Standard Danmark'],
] as const

/** As many orders as sales units while there are few; a tenth of them in a large world. */
function ordersOf(salesUnits: number): number {
  return Math.max(Math.min(400, salesUnits), Math.floor(salesUnits / 10))
}
