import { DatabaseError } from 'pg'
import type { Logger } from '../logger.ts'
import { merchantIdentifier, merchantKey } from '../domain/business-identifier.ts'
import { orderStatuses } from '../domain/product-order.ts'
import { readStored } from '../management-api/lenient.ts'
import { pricePackageIdIn } from '../management-api/price-packages.ts'
import { productOrder } from '../management-api/product-orders.ts'
import { isMerchantIdentifier, type Organisation, organisationKey } from '../domain/organisation.ts'
import { addChanges, longestMomentMs, type NewChange } from '../store/changes.ts'
import type { Handle } from '../store/database.ts'
import { ensureDue, stopSyncing } from '../store/due.ts'
import { summariseMerchants } from '../store/merchant-summaries.ts'
import { assignPricePackages } from '../store/price-package-assignments.ts'
import {
  type DerivedColumns,
  lockOrganisation,
  merchantNames,
  type RecordTable,
  recordsOf,
  spreadMerchantNames,
  type StoredRecord,
  vacuumTable,
  webhooksOfSalesUnits,
  writeRecords,
} from '../store/records.ts'
import type { SyncContext } from './context.ts'
import { type Answer, currentOf, reconcile } from './reconcile.ts'
import { type Kind, webhookKind } from './resources.ts'
import { forViewers } from './viewer-members.ts'

/** An answer of the API, with the time since the request in milliseconds. */
export type TimedAnswer = Omit<Answer, 'askedAt'> & { readonly askedMs: number }

/** The moment that the changes of several batches share: those of one read of a list, or details read in a row. */
export type Moment = { at?: Date }

/** The result of writing answers: the rows written, and the keys of records that the database refused. */
export type Applied = { readonly written: number; readonly refused: readonly string[] }

/**
 * Writes answers of the API to rows and history, in one transaction. When the database refuses a batch for its data,
 * each half is written alone, so that only the bad record is lost; it is logged.
 * @param moment shared by the batches whose changes are shown as one group when they are alike
 */
export async function applyAnswers(
  context: Pick<SyncContext, 'db' | 'logger'>,
  organisation: Organisation,
  kind: Kind,
  answers: readonly TimedAnswer[],
  moment: Moment = {},
): Promise<Applied> {
  if (answers.length === 0) return { written: 0, refused: [] }
  try {
    return { written: await applyBatch(context.db, organisation, kind, answers, moment), refused: [] }
  } catch (error) {
    if (isConflict(error)) return applyAnswers(context, organisation, kind, answers, moment)
    if (!isBadData(error)) throw error
    const [only] = answers
    if (answers.length === 1 && only) return refuse(context.logger, organisation, kind, only.key, error)
    const half = Math.ceil(answers.length / 2)
    const first = await applyAnswers(context, organisation, kind, answers.slice(0, half), moment)
    const second = await applyAnswers(context, organisation, kind, answers.slice(half), moment)
    return { written: first.written + second.written, refused: [...first.refused, ...second.refused] }
  }
}

async function applyBatch(
  db: Handle,
  organisation: Organisation,
  kind: Kind,
  answers: readonly TimedAnswer[],
  moment: Moment,
): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const now = await lockOrganisation(trx, organisation)
    if (!moment.at || now.getTime() - moment.at.getTime() >= longestMomentMs) moment.at = now
    const keys = answers.map(({ key }) => key)
    const rows = await recordsOf(trx, organisation, kind.table, keys)
    const dated = answers.map(({ askedMs, ...answer }) => ({ ...answer, askedAt: before(now, askedMs) }))
    return writeDecisions(trx, organisation, kind, rows, dated, now, moment.at)
  })
}

/** A deadlock or serialisation failure, from another instance or the operator; the write is retried. */
function isConflict(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === '40P01' || error.code === '40001')
}

/** SQLSTATE classes 21 to 23 and 54: the database cannot store the data of a record, so a retry is useless. */
function isBadData(error: unknown): boolean {
  return error instanceof DatabaseError && /^(2[123]|54)/.test(error.code ?? '')
}

function refuse(logger: Logger, organisation: Organisation, { resource }: Kind, key: string, error: unknown): Applied {
  const line = { organisation: organisationKey(organisation), resource, key: key.slice(0, 100) }
  logger.error({ err: error, ...line }, 'record cannot be stored')
  return { written: 0, refused: [key] }
}

function before(now: Date, milliseconds: number): Date {
  return new Date(now.getTime() - milliseconds)
}

/**
 * Reconciles answers with the rows, which the transaction has locked, and writes rows and history. @returns rows
 * written
 */
export async function writeDecisions(
  trx: Handle,
  organisation: Organisation,
  kind: Kind,
  rows: readonly StoredRecord[],
  answers: readonly Answer[],
  now: Date,
  moment = now,
): Promise<number> {
  const known = new Map(rows.map((row) => [row.key, row]))
  const records: StoredRecord[] = []
  const changes: NewChange[] = []
  const { resource } = kind
  for (const answer of answers) {
    const { record, change } = reconcile(known.get(answer.key), answer, now)
    if (record) records.push(record)
    if (!record || !change) continue
    const isForViewers = forViewers({ resource, ...change }) !== undefined
    const status = resource === 'productOrder' ? statusGiven(record, change) : ''
    changes.push({ at: now, moment, resource, key: answer.key, ...change, status, forViewers: isForViewers })
  }
  if (records.length === 0) return 0
  await writeRecords(trx, organisation, kind.table, await withColumns(trx, organisation, kind, records))
  await addChanges(trx, organisation, changes)
  if (kind.table === 'sales_units') await followSalesUnits(trx, organisation, records, changes, now)
  if (kind.table === 'merchants') {
    const keys = records.map(({ key }) => key)
    await spreadMerchantNames(trx, organisation, keys)
  }
  // Also the merchant and the price package that a record had before.
  const both = records.flatMap((record) => [known.get(record.key) ?? record, record])
  const merchants = new Map(both.flatMap((record) => merchantOf(kind, record)))
  await summariseMerchants(trx, organisation, [...merchants.values()])
  await assignPricePackages(trx, organisation, [...new Set(both.flatMap((record) => pricedUnitOf(kind, record)))])
  return records.length
}

/** The merchant whose summary counts the record, by key; none for records without one. */
function merchantOf({ table }: Kind, record: StoredRecord): [string, Identifier][] {
  if (table === 'merchants') return [[record.key, merchantIdentifier(record.key)]]
  const identifier = table === 'sales_units' || table === 'product_orders' ? identifierOf(record) : undefined
  return identifier ? [[merchantKey(identifier), identifier]] : []
}

/** The sales unit whose price package the record may tell. */
function pricedUnitOf({ table }: Kind, record: StoredRecord): string[] {
  if (table === 'sales_units') return [record.key]
  if (table !== 'product_orders' || pricePackageIdIn(currentOf(record)) === undefined) return []
  const { msn } = readStored(productOrder, currentOf(record)).salesUnit ?? {}
  return msn === undefined ? [] : [msn]
}

/** The known status that the change gave to an order: the one it was first seen with, or its new one; else ''. */
function statusGiven(record: StoredRecord, { kind, fields }: Pick<NewChange, 'kind' | 'fields'>): string {
  const isGiven = kind === 'added' || (kind === 'changed' && 'status' in fields)
  return orderStatuses.find((status) => isGiven && status === currentOf(record)['status']) ?? ''
}

/** Rows with their derived columns; sales units and orders get the name of their merchant, if it has been read. */
async function withColumns(
  trx: Handle,
  organisation: Organisation,
  kind: Kind,
  records: readonly StoredRecord[],
): Promise<Written[]> {
  const ofMerchants = kind.table === 'sales_units' || kind.table === 'product_orders'
  const keys = ofMerchants ? [...new Set(records.flatMap((record) => identifierKeyOf(record) ?? []))] : []
  const names = await merchantNames(trx, organisation, keys)
  return records.map((record) => ({
    record,
    derived: kind.derive(currentOf(record), record.key, names.get(identifierKeyOf(record) ?? '') ?? null),
  }))
}

/** Schedules details of added sales units and their merchants, and removes the webhooks of removed ones. */
async function followSalesUnits(
  trx: Handle,
  organisation: Organisation,
  written: readonly StoredRecord[],
  changes: readonly NewChange[],
  now: Date,
): Promise<void> {
  const added = changes.filter(({ kind }) => kind === 'added' || kind === 'returned').map(({ key }) => key)
  const removed = changes.filter(({ kind }) => kind === 'removed').map(({ key }) => key)
  await ensureDue(trx, organisation, 'salesUnit', added)
  await ensureDue(trx, organisation, 'salesUnitWebhooks', added)
  const merchants = written.flatMap((record) => {
    const identifier = identifierOf(record)
    return !record.removed_at && identifier && isMerchantIdentifier(identifier) ? [merchantKey(identifier)] : []
  })
  await ensureDue(trx, organisation, 'merchant', [...new Set(merchants)])
  if (removed.length === 0) return
  await stopSyncing(trx, organisation, ['salesUnit', 'salesUnitWebhooks'], removed)
  const orphans = await webhooksOfSalesUnits(trx, organisation, removed)
  const answers = orphans.map(({ key }): Answer => ({ source: 'list', key, value: undefined, askedAt: now }))
  await writeDecisions(trx, organisation, webhookKind, orphans, answers, now)
}

function identifierKeyOf(record: StoredRecord): string | undefined {
  const identifier = identifierOf(record)
  return identifier && merchantKey(identifier)
}

type Identifier = { readonly scheme: string; readonly id: string }

function identifierOf(record: StoredRecord): Identifier | undefined {
  return currentOf(record)['businessIdentifier'] as Identifier | undefined
}

/** A row to write, with its derived columns. */
type Written = { readonly record: StoredRecord; readonly derived: DerivedColumns }

/** Counts written rows, and vacuums and analyses a table after enough of them. */
export type Vacuum = (table: RecordTable, rows: number) => Promise<void>

/** Autovacuum does the same, but too late: until then pages are planned with old statistics. */
const rowsBeforeVacuum = 5000

/** Creates a Vacuum that counts in this process. */
export function createVacuum(db: Handle): Vacuum {
  const written = new Map<RecordTable, number>()
  return async (table, rows) => {
    const total = (written.get(table) ?? 0) + rows
    written.set(table, total)
    if (total < rowsBeforeVacuum) return
    written.set(table, 0)
    await vacuumTable(db, table)
    if (table !== 'sales_units') return
    // These change with the sales units.
    await vacuumTable(db, 'sync_state')
    await vacuumTable(db, 'merchant_summaries')
  }
}
