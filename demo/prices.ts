import type { Database } from '../src/store/database.ts'
import { type Assignment, writeAssignments } from '../src/store/price-package-assignments.ts'
import { visibleSalesUnits } from './management-api/visibility.ts'
import type { DemoWorld } from './world/types.ts'

/** Larger partners get none: without a history their sales units are not stored yet. */
const mostRows = 3000

/**
 * Gives two of three sales units of each partner a price package of their market, as `price-packages import` does, so
 * that the others show how the portal narrows it.
 */
export async function writeDemoPrices({ kysely }: Database, world: DemoWorld): Promise<void> {
  for (const { organisation } of world.organisations) {
    if (organisation.kind !== 'partner') continue
    const salesUnits = visibleSalesUnits(world, organisation)
    const packages = world.pricePackages.filter(({ partnerId }) => partnerId === organisation.id)
    if (packages.length === 0 || salesUnits.length > mostRows) continue
    const assignments = salesUnits.flatMap(({ body: { msn, businessIdentifier } }, index): Assignment[] => {
      const fitting = packages.filter(({ body: { market } }) => businessIdentifier.scheme.includes(`:${market}:`))
      const given = fitting[index % fitting.length]
      const from = `2026-0${1 + (index % 9)}-01`
      return index % 3 === 2 || !given ? [] : [{ msn, pricePackageId: given.body.pricePackageId, from }]
    })
    await kysely.transaction().execute(async (trx) => writeAssignments(trx, organisation, assignments))
  }
}
