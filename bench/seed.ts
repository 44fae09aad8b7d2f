import { createLogger } from '../src/logger.ts'
import type { Organisation } from '../src/organisation.ts'
import { type Database, openDatabase } from '../src/store/database.ts'
import { noteReadings, type Outcome, type Resource, summarise } from '../src/store/readings.ts'
import { type Json, tidyTable } from '../src/store/records.ts'
import { applyAnswers, type TimedAnswer } from '../src/sync/apply.ts'
import { asStored } from '../src/sync/list-comparison.ts'
import { details, type Kind, merchantKey, webhookKey, webhookKind } from '../src/sync/resources.ts'
import type { DemoWorld } from '../src/demo/world/types.ts'
import type { Place } from './places.ts'

const batch = 1000
/** Nothing that was seeded is due within the run. */
const nextInSeconds = 864_000

/** Opens a database that nobody else has open. */
export const openPlace = ({ env }: Place): Database =>
  openDatabase({ url: env.DATABASE_URL, logger: createLogger('silent') })

const read = (resource: Resource, keys: readonly string[]): Outcome[] =>
  keys.map((key) => ({ resource, key, askedMs: 0, nextInSeconds }))

/** Writes these as the sync writes what it has read one by one. */
const applyAll = async (
  database: Database,
  organisation: Organisation,
  kind: Kind,
  resource: Resource,
  bodies: ReadonlyMap<string, Json>,
): Promise<void> => {
  const answers = [...bodies].map(([key, body]): TimedAnswer => ({
    source: 'details',
    key,
    value: asStored(body),
    askedMs: 0,
  }))
  for (let start = 0; start < answers.length; start += batch) {
    const some = answers.slice(start, start + batch)
    const outcomes = read(
      resource,
      some.map(({ key }) => key),
    )
    await applyAnswers(database, organisation, kind, some, (trx) => noteReadings(trx, organisation, outcomes))
  }
}

const applyWebhooks = async (
  database: Database,
  organisation: Organisation,
  world: DemoWorld,
  msns: ReadonlySet<string>,
): Promise<void> => {
  const answers = world.webhooks.flatMap(({ registeredFor, body }): TimedAnswer[] => {
    const msn = registeredFor.startsWith('msn/') ? registeredFor.slice(4) : ''
    if (!msns.has(msn)) return []
    return [{ source: 'list', key: webhookKey(msn, body), value: asStored(body), askedMs: 0 }]
  })
  for (let start = 0; start < answers.length; start += batch)
    await applyAnswers(database, organisation, webhookKind, answers.slice(start, start + batch))
  const keys = [...msns]
  for (let start = 0; start < keys.length; start += batch)
    await noteReadings(
      database.kysely,
      organisation,
      read('salesUnitWebhooks', keys.slice(start, start + batch)),
    )
}

/**
 * Writes what the sync would read one by one, at so many calls a second, for hours: details of every sales unit,
 * their merchants and webhooks. The lists are there already.
 */
export const seedDetails = async (
  database: Database,
  organisation: Organisation,
  world: DemoWorld,
): Promise<void> => {
  const { kysely } = database
  const partnerId = organisation.kind === 'partner' ? organisation.id : ''
  const units = world.salesUnits.filter((unit) => unit.partnerId === partnerId).map(({ body }) => body)
  const owners = new Set(units.map(({ businessIdentifier }) => merchantKey(businessIdentifier)))
  const merchants = new Map(world.merchants.map(({ body }) => [merchantKey(body.businessIdentifier), body]))
  const ours = new Map([...merchants].filter(([key]) => owners.has(key)))
  await applyAll(database, organisation, details.merchant, 'merchant', ours)
  const bodies = new Map(units.map((body) => [body.msn, body]))
  await applyAll(database, organisation, details.salesUnit, 'salesUnit', bodies)
  await applyWebhooks(database, organisation, world, new Set(bodies.keys()))
  await summarise(kysely, organisation, 'salesUnits', { total: units.length, done: units.length })
}

/** Tables as they are once PostgreSQL, or the sync, has tidied them. */
export const tidyAll = async ({ kysely }: Database): Promise<void> => {
  for (const table of ['sales_units', 'merchants', 'product_orders', 'webhooks', 'sync_state'] as const)
    await tidyTable(kysely, table)
}
