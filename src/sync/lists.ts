import { UpstreamNotFoundError } from '../errors.ts'
import type { Rows } from '../management-api/parse.ts'
import { type Organisation, organisationKey } from '../organisation.ts'
import { isActive } from '../store/activity.ts'
import { expectReadings, pruneReadings } from '../store/due-work.ts'
import { doubtReading, type ListResource, noteReadings, readingOf, summarise } from '../store/readings.ts'
import type { Json } from '../store/records.ts'
import { applyAnswers, type Tidy, type TimedAnswer } from './apply.ts'
import { failureOf } from './failure.ts'
import { compareWithStore, isBelievedNow, isHardToBelieve } from './list-comparison.ts'
import { lists } from './resources.ts'
import type { SyncSource } from './source.ts'
import { summariseList } from './summaries.ts'

const rowsInTransaction = 250
/** Of many, few at first, so that their details can be read while the others are written. */
const rowsAtFirst = 50

const writeAnswers = async (
  { database }: SyncSource,
  organisation: Organisation,
  resource: ListResource,
  answers: readonly TimedAnswer[],
  asked: number,
  signal: AbortSignal,
  begun: () => Promise<void>,
): Promise<number> => {
  let [written, start] = [0, 0]
  while (start < answers.length && !signal.aborted) {
    const isBeginning = start === 0 && answers.length > rowsInTransaction
    const end = start + (isBeginning ? rowsAtFirst : rowsInTransaction)
    const batch = answers
      .slice(start, end)
      .map((answer) => ({ ...answer, askedMs: performance.now() - asked }))
    written += await applyAnswers(database, organisation, lists[resource], batch)
    if (start === 0) await begun()
    start = end
  }
  return written
}

/** Has the API's rows taken one by one. @returns undefined where it has no such list (404) */
const readAll = async (
  { clientOf }: SyncSource,
  organisation: Organisation,
  resource: ListResource,
  signal: AbortSignal,
  take: (row: Json) => void,
): Promise<Pick<Rows<Json>, 'malformed'> | undefined> => {
  const client = clientOf(organisation)
  // Sales unit keys would be answered with their sales unit's own, which are asked for with the others'.
  if (resource === 'webhooks' && client.onlyMsn !== undefined) return { malformed: [] }
  try {
    return await lists[resource].read(client, { priority: 'list', signal, take })
  } catch (error) {
    if (error instanceof UpstreamNotFoundError) return undefined
    throw error
  }
}

/**
 * Reads one list of an organisation and brings the store in step with it. Never rejects for what the API does: it is
 * noted with the reading.
 * @param begun called when the first rows are written: their details can be read meanwhile
 * @returns rows written
 */
export const readList = async (
  source: SyncSource,
  tidy: Tidy,
  organisation: Organisation,
  resource: ListResource,
  signal: AbortSignal,
  begun: () => Promise<void>,
): Promise<number> => {
  const { database, settings, logger } = source
  const { kysely } = database
  const kind = lists[resource]
  const comparing = await compareWithStore(source, organisation, kind)
  const asked = performance.now()
  const askedMs = () => performance.now() - asked
  const line = { organisation: organisationKey(organisation), resource }
  let answer: Pick<Rows<Json>, 'malformed'> | undefined
  try {
    answer = await readAll(source, organisation, resource, signal, comparing.take)
  } catch (error) {
    if (signal.aborted) return 0
    const failure = failureOf(error)
    const retry = { nextInSeconds: settings.retrySeconds, mostSeconds: settings.listActiveSeconds }
    await noteReadings(kysely, organisation, [{ resource, key: '', askedMs: 0, failure, ...retry }])
    return 0
  }
  const comparison = comparing.end(answer?.malformed ?? [])
  const { count, skipped } = comparison
  if (isHardToBelieve(comparison)) {
    const { current, lost } = comparison
    if (!isBelievedNow(await readingOf(kysely, organisation, resource), settings.doubtSeconds)) {
      logger.warn({ ...line, current, lost }, 'a list is not believed yet: it has lost too much at once')
      await doubtReading(kysely, organisation, resource, '', settings.doubtSeconds)
      return 0
    }
    logger.warn({ ...line, current, lost }, 'a list that has lost much was read twice, and is believed')
  }
  // A first list that is long takes a while to write: pages show how far it is.
  if (comparison.current === 0 && count > rowsInTransaction)
    await summarise(kysely, organisation, resource, { total: count, done: 0 })
  if (resource === 'salesUnits' || resource === 'productOrders') {
    const detail = resource === 'salesUnits' ? 'salesUnit' : 'productOrder'
    await expectReadings(kysely, organisation, detail, comparison.contradicted)
  }
  const written = await writeAnswers(source, organisation, resource, comparison.answers, asked, signal, begun)
  // What is not written yet differs when the list is read again.
  if (signal.aborted) return written
  if (resource === 'salesUnits' && written > 0) await pruneReadings(kysely, organisation)
  await summariseList(source, organisation, resource)
  const active = await isActive(kysely, organisation, settings.activeForSeconds)
  const nextInSeconds = active ? settings.listActiveSeconds : settings.listIdleSeconds
  await noteReadings(kysely, organisation, [
    { resource, key: '', askedMs: askedMs(), nextInSeconds, skipped, available: answer !== undefined },
  ])
  logger.info({ ...line, rows: count, written, skipped, ms: Math.round(askedMs()) }, 'list read')
  await tidy(kind.table, written)
  return written
}
