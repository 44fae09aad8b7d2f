import { UpstreamNotFoundError } from '../errors.ts'
import type { ListOptions } from '../management-api/client.ts'
import type { Rows } from '../management-api/parse.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { type DueTask, ensureDue, pruneSyncState } from '../store/due.ts'
import { applyBegunAssignments } from '../store/price-package-assignments.ts'
import { hasOthersThanListed, type Json } from '../store/records.ts'
import { summarise } from '../store/summaries.ts'
import { forgetAnswer, type ListResource, markSuspect, type Outcome, writeProgress } from '../store/sync-state.ts'
import { applyAnswers, type Moment, type Vacuum } from './apply.ts'
import type { SyncContext } from './context.ts'
import { failureOf } from './details.ts'
import {
  answerOf,
  compareWithStore,
  digestVersion,
  isConfirmed,
  isSuspect,
  type ListComparison,
  type ListDiff,
  type SizedAnswer,
} from './list-diff.ts'
import { lists } from './resources.ts'

/** A list that is due. */
export type ListTask = Pick<DueTask, 'isRead' | 'suspectSeconds' | 'answerDigest'> & { readonly resource: ListResource }

/** Queues a write, so that an organisation's writes run one after the other and do not block each other. */
export type EnqueueWrite = <T extends { readonly written: number }>(write: () => Promise<T>) => Promise<T>

/**
 * Reads one list of an organisation and writes the differences to the store. Never rejects for failures of the API.
 * @returns the outcome to write; undefined when that is done, or when `signal` aborted it
 */
export async function syncList(
  context: SyncContext,
  vacuum: Vacuum,
  organisation: Organisation,
  { resource, isRead, suspectSeconds, answerDigest }: ListTask,
  enqueueWrite: EnqueueWrite,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const { db, settings, logger } = context
  const line = { organisation: organisationKey(organisation), resource }
  const { table } = lists[resource]
  const asked = performance.now()
  let comparison: ListComparison | undefined
  let digest: string | undefined
  async function begin(bodyDigest: string): Promise<ListComparison | undefined> {
    digest = `${digestVersion} ${bodyDigest}`
    // The details of a record can contradict the list, which only a comparison finds.
    if (digest === answerDigest && !(await hasOthersThanListed(db, organisation, table))) return undefined
    return (comparison = await compareWithStore(context, organisation, lists[resource]))
  }
  let answer: Pick<Rows<Json>, 'malformed'> | undefined
  try {
    answer = await readAll(context, organisation, resource, signal, begin)
  } catch (error) {
    if (signal.aborted) return undefined
    const retry = { nextSeconds: settings.retrySeconds, maxSeconds: settings.listActiveSeconds }
    return { resource, key: '', askedMs: 0, ...failureOf(error), ...retry }
  }
  const { listActiveSeconds: nextSeconds, listIdleSeconds: idleSeconds } = settings
  const done = { resource, key: '', nextSeconds, idleSeconds }
  if (digest !== undefined && !comparison) {
    const askedMs = performance.now() - asked
    logger.info({ ...line, ms: Math.round(askedMs) }, 'list unchanged')
    if (resource === 'pricePackages') await applyBegunAssignments(db, organisation)
    return { ...done, askedMs, answerDigest: digest }
  }
  comparison ??= await compareWithStore(context, organisation, lists[resource])
  const diff = comparison.end(answer?.malformed ?? [])
  const { count, stored, lost } = diff
  if (isSuspect(diff)) {
    if (!isConfirmed(suspectSeconds, settings)) {
      await markSuspect(db, organisation, resource, '', settings.suspectSeconds)
      logger.warn({ ...line, stored, lost }, 'list suspect: it lost too many rows and is read again')
      return undefined
    }
    logger.warn({ ...line, stored, lost }, 'list confirmed: a second read lost as many rows')
  }
  const { written, refused } = await write(context, organisation, resource, diff, asked, enqueueWrite, signal)
  // Rows that are not written yet differ again at the next read.
  if (signal.aborted) return undefined
  if (resource === 'salesUnits' && written > 0 && stored > 0) await pruneSyncState(db, organisation)
  if (resource === 'pricePackages') await applyBegunAssignments(db, organisation)
  if (written > 0 || !isRead) await summarise(db, organisation, { resource, table })
  const skipped = diff.skipped + refused
  const askedMs = performance.now() - asked
  logger.info({ ...line, rows: count, written, skipped, ms: Math.round(askedMs) }, 'list read')
  await vacuum(table, written)
  // What was skipped may be stored after the next read.
  return {
    ...done,
    askedMs,
    skipped,
    available: answer !== undefined,
    answerDigest: skipped === 0 ? digest : undefined,
  }
}

/**
 * Reads all rows of the API's list. @returns undefined when the API has no such list (404)
 * @param begin starts their comparison
 */
async function readAll(
  { clientOf }: SyncContext,
  organisation: Organisation,
  resource: ListResource,
  signal: AbortSignal,
  begin: NonNullable<ListOptions['begin']>,
): Promise<Pick<Rows<Json>, 'malformed'> | undefined> {
  const client = clientOf(organisation)
  // With sales unit credentials the API returns that sales unit's own webhooks, which are read with the others.
  if (resource === 'webhooks' && client.onlyMsn !== undefined) return { malformed: [] }
  try {
    return await lists[resource].read(client, { priority: 'list', signal, begin })
  } catch (error) {
    if (error instanceof UpstreamNotFoundError) return undefined
    throw error
  }
}

/** Writes the differences in batches. @returns rows written, and how many the database refused */
async function write(
  context: SyncContext,
  organisation: Organisation,
  resource: ListResource,
  { answers, contradicted, count, stored }: ListDiff,
  asked: number,
  enqueueWrite: EnqueueWrite,
  signal: AbortSignal,
): Promise<{ readonly written: number; readonly refused: number }> {
  const { db } = context
  // A long first list takes a while to write, so pages show the progress.
  if (stored === 0 && count > rowsInTransaction)
    await writeProgress(db, organisation, resource, { total: count, done: 0 })
  if (contradicted.length > 0)
    await enqueueWrite(async () => {
      await ensureDue(db, organisation, resource === 'salesUnits' ? 'salesUnit' : 'productOrder', contradicted)
      return { written: contradicted.length }
    })
  // A write that is cut off leaves the store between two answers, of which the earlier one may come again.
  if (answers.length > 0) await forgetAnswer(db, organisation, resource)
  const moment: Moment = {}
  let [written, refused] = [0, 0]
  let most = answers.length > rowsInTransaction ? rowsAtFirst : rowsInTransaction
  while (answers.length > 0 && !signal.aborted) {
    const askedMs = performance.now() - asked
    const batch = takeBatch(answers, most).map((answer) => answerOf(answer, askedMs))
    const applied = await enqueueWrite(() => applyAnswers(context, organisation, lists[resource], batch, moment))
    written += applied.written
    refused += applied.refused.length
    most = rowsInTransaction
  }
  return { written, refused }
}

/** Removes the next batch from the answers, so that what is written leaves the memory. */
function takeBatch(answers: SizedAnswer[], most: number): SizedAnswer[] {
  let [count, size] = [0, 0]
  do {
    size += answers[count]?.size ?? 0
    count += 1
  } while (count < Math.min(answers.length, most) && size < sizeInTransaction)
  return answers.splice(0, count)
}

/** The rows of a transaction, and the length of their JSON, which is in memory several times while it is written. */
const [rowsInTransaction, sizeInTransaction] = [250, 2_000_000]
/** The size of the first batch of a long list, so that its details are read while the rest is written. */
const rowsAtFirst = 50
