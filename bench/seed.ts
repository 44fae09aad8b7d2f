import type { DemoWorld } from '../demo/world/types.ts'
import { createLogger } from '../src/logger.ts'
import { type Database, openDatabase } from '../src/store/database.ts'
import { noteOutcomes, type Resource, writeProgress } from '../src/store/sync-state.ts'
import { type Json, vacuumTable } from '../src/store/records.ts'
import { applyAnswers } from '../src/sync/apply.ts'
import { asStored } from '../src/sync/list-diff.ts'
import { merchantKey } from '../src/domain/business-identifier.ts'
import { details, type Kind, webhookKey, webhookKind } from '../src/sync/resources.ts'
import { salesUnitsOf } from './world.ts'

const batch = 1000
/** Later than the end of the run. */
const nextSeconds = 864_000

/** Opens the database of a fixture. */
export function openFixtureDatabase(url: string): Database {
  return openDatabase({ url, logger: createLogger('silent') })
}

/**
 * Writes what a sync would read for hours: the details of every sales unit, their merchants and webhooks. The lists
 * must be there, and no portal may run.
 */
export async function seedDetails(databaseUrl: string, world: DemoWorld): Promise<void> {
  const { kysely, close } = openFixtureDatabase(databaseUrl)
  const logger = createLogger('warn')
  const merchants = world.merchants.map(({ body }) => [merchantKey(body.businessIdentifier), body] as const)
  const webhooks = Map.groupBy(world.webhooks, ({ registeredFor }) => registeredFor)
  for (const { organisation } of world.organisations) {
    async function write(kind: Kind, source: 'list' | 'details', rows: (readonly [string, Json])[]) {
      const answers = rows.map(([key, body]) => ({ source, key, value: asStored(body), askedMs: 0 }))
      for (let start = 0; start < answers.length; start += batch)
        await applyAnswers({ db: kysely, logger }, organisation, kind, answers.slice(start, start + batch))
    }
    async function noteRead(resource: Resource, keys: readonly string[]) {
      const outcomes = keys.map((key) => ({ resource, key, askedMs: 0, nextSeconds }))
      await noteOutcomes(kysely, organisation, outcomes, 900)
    }
    const units = salesUnitsOf(world, 'id' in organisation ? organisation.id : '').map(({ body }) => body)
    const msns = units.map(({ msn }) => msn)
    const owners = new Set(units.map(({ businessIdentifier }) => merchantKey(businessIdentifier)))
    const hooks = msns.flatMap((msn) => (webhooks.get(`msn/${msn}`) ?? []).map(({ body }) => ({ msn, body })))
    const hookRows = hooks.map(({ msn, body }) => [webhookKey(msn, body), body] as const)
    const unitRows = units.map((body) => [body.msn, body] as const)
    const ownerRows = merchants.filter(([key]) => owners.has(key))
    await write(details.merchant, 'details', ownerRows)
    await write(details.salesUnit, 'details', unitRows)
    await write(webhookKind, 'list', hookRows)
    await noteRead('merchant', [...owners])
    await noteRead('salesUnit', msns)
    await noteRead('salesUnitWebhooks', msns)
    await writeProgress(kysely, organisation, 'salesUnits', { total: units.length, done: units.length })
  }
  for (const table of [
    'sales_units',
    'merchants',
    'product_orders',
    'webhooks',
    'sync_state',
    'merchant_summaries',
  ] as const)
    await vacuumTable(kysely, table)
  await close()
}
