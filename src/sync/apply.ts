import type { Organisation } from '../organisation.ts'
import { addChanges, type Change } from '../store/changes.ts'
import type { Database, Handle } from '../store/database.ts'
import { expectReadings, forgetReadings } from '../store/due-work.ts'
import {
  type DerivedColumns,
  lockRecords,
  merchantNames,
  type RecordTable,
  recordsOf,
  spreadMerchantNames,
  type StoredRecord,
  tidyTable,
  webhooksOfSalesUnits,
  writeRecords,
} from '../store/records.ts'
import { type Answer, currentOf, judge } from './compare.ts'
import { type Kind, webhookKind } from './resources.ts'

/** An answer of the API with how long ago it was asked, in milliseconds. */
export type TimedAnswer = Omit<Answer, 'askedAt'> & { readonly askedMs: number }

type Written = { readonly record: StoredRecord; readonly derived: DerivedColumns }

const before = (now: Date, milliseconds: number): Date => new Date(now.getTime() - milliseconds)

const identifierKeyOf = (record: StoredRecord): string | undefined => {
  const identifier = currentOf(record)['businessIdentifier'] as { scheme: string; id: string } | undefined
  return identifier && `${identifier.scheme}/${identifier.id}`
}

/** Rows with their columns; sales units and orders get the name of their merchant, if it has been read. */
const withColumns = async (
  trx: Handle,
  organisation: Organisation,
  kind: Kind,
  records: readonly StoredRecord[],
): Promise<Written[]> => {
  const ofMerchants = kind.table === 'sales_units' || kind.table === 'product_orders'
  const keys = ofMerchants ? [...new Set(records.flatMap((record) => identifierKeyOf(record) ?? []))] : []
  const names = await merchantNames(trx, organisation, keys)
  return records.map((record) => ({
    record,
    derived: kind.derive(currentOf(record), record.key, names.get(identifierKeyOf(record) ?? '') ?? null),
  }))
}

/** What else follows when sales units come, go or tell whose they are. */
const followSalesUnits = async (
  trx: Handle,
  organisation: Organisation,
  written: readonly StoredRecord[],
  changes: readonly Change[],
  now: Date,
): Promise<void> => {
  const keysOf = (...kinds: readonly Change['kind'][]) =>
    changes.filter(({ kind }) => kinds.includes(kind)).map(({ key }) => key)
  const [come, gone] = [keysOf('added', 'returned'), keysOf('removed')]
  await expectReadings(trx, organisation, 'salesUnit', come)
  await expectReadings(trx, organisation, 'salesUnitWebhooks', come)
  const merchants = new Set(
    written.flatMap((record) => (record.removed_at ? [] : (identifierKeyOf(record) ?? []))),
  )
  await expectReadings(trx, organisation, 'merchant', [...merchants])
  if (gone.length === 0) return
  await forgetReadings(trx, organisation, ['salesUnit', 'salesUnitWebhooks'], gone)
  await lockRecords(trx, organisation, 'webhooks')
  const orphans = await webhooksOfSalesUnits(trx, organisation, gone)
  const answers = orphans.map(({ key }): Answer => ({ source: 'list', key, value: undefined, askedAt: now }))
  await writeVerdicts(trx, organisation, webhookKind, orphans, answers, now)
}

/** Judges answers against the rows, which the transaction holds, and writes rows and history. @returns rows written */
export const writeVerdicts = async (
  trx: Handle,
  organisation: Organisation,
  kind: Kind,
  rows: readonly StoredRecord[],
  answers: readonly Answer[],
  now: Date,
): Promise<number> => {
  const known = new Map(rows.map((row) => [row.key, row]))
  const records: StoredRecord[] = []
  const changes: Change[] = []
  for (const answer of answers) {
    const { record, change } = judge(known.get(answer.key), answer, now)
    if (record) records.push(record)
    if (change) changes.push({ at: now, resource: kind.resource, key: answer.key, ...change })
  }
  await writeRecords(trx, organisation, kind.table, await withColumns(trx, organisation, kind, records))
  await addChanges(trx, organisation, changes)
  if (kind.table === 'sales_units') await followSalesUnits(trx, organisation, records, changes, now)
  if (kind.table === 'merchants') {
    const keys = records.map(({ key }) => key)
    if (keys.length > 0) await spreadMerchantNames(trx, organisation, keys)
  }
  return records.length
}

/**
 * Brings rows and history in step with answers of the API, in one transaction: either both are written or none.
 * @param also what is to be written with them
 * @returns how many rows were written
 */
export const applyAnswers = async (
  { kysely }: Database,
  organisation: Organisation,
  kind: Kind,
  answers: readonly TimedAnswer[],
  also?: (trx: Handle) => Promise<void>,
): Promise<number> =>
  kysely.transaction().execute(async (trx) => {
    const now = await lockRecords(trx, organisation, kind.table)
    const keys = answers.map(({ key }) => key)
    const rows = await recordsOf(trx, organisation, kind.table, keys)
    const dated = answers.map(({ askedMs, ...answer }) => ({ ...answer, askedAt: before(now, askedMs) }))
    const written = await writeVerdicts(trx, organisation, kind, rows, dated, now)
    await also?.(trx)
    return written
  })

/**
 * Tables are tidied after so many rows written here: PostgreSQL would get to it by itself, but not before the next page.
 */
const tidyAfter = 5000

/** Counts rows written, and tidies a table when it has become worth it. */
export type Tidy = (table: RecordTable, rows: number) => Promise<void>

export const createTidying = (database: Database): Tidy => {
  const written = new Map<RecordTable, number>()
  return async (table, rows) => {
    const total = (written.get(table) ?? 0) + rows
    written.set(table, total)
    if (total < tidyAfter) return
    written.set(table, 0)
    await tidyTable(database.kysely, table)
    if (table === 'sales_units') await tidyTable(database.kysely, 'sync_state')
  }
}
