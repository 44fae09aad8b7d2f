import { NotFoundError, UpstreamNotFoundError } from '../errors.ts'
import { type Organisation, organisationKey } from '../organisation.ts'
import {
  type DetailResource,
  doubtReading,
  noteReadings,
  type Outcome,
  readingOf,
} from '../store/readings.ts'
import { type Json, webhooksOfSalesUnits } from '../store/records.ts'
import { applyAnswers, type TimedAnswer, type Tidy } from './apply.ts'
import { failureOf } from './failure.ts'
import { asStored, isBelievedNow, isHardToBelieve } from './list-comparison.ts'
import { details, readWebhooksOf, webhookKey, webhookKind } from './resources.ts'
import type { SyncSource } from './source.ts'

/** One call to make; `wanted` when somebody waits for it, or looks at it. */
export type Task = { readonly resource: DetailResource; readonly key: string; readonly wanted: boolean }

/** What came of one call: rows for the store, or why there are none. */
export type Read = Task & {
  readonly asked: number
  readonly failure?: 'unavailable' | 'refused'
  /** Undefined: 404. Webhooks of a sales unit: all of them. */
  readonly value?: Json | undefined
  readonly webhooks?: readonly Json[]
  readonly skipped?: number
}

/** Makes the one call. Never rejects for what the API does. */
export const readDetail = async (
  { clientOf }: SyncSource,
  organisation: Organisation,
  task: Task,
  signal: AbortSignal,
): Promise<Read> => {
  const asked = performance.now()
  const client = clientOf(organisation)
  const options = { priority: task.wanted ? 'requested' : 'background', signal } as const
  try {
    if (task.resource === 'salesUnitWebhooks') {
      const { rows, malformed } = await readWebhooksOf(client, task.key, options)
      const skipped = malformed.length
      return { ...task, asked, webhooks: rows.map(asStored), skipped }
    }
    return { ...task, asked, value: asStored(await details[task.resource].read(client, task.key, options)) }
  } catch (error) {
    // NotFoundError: a key that the API gave us and would not take back.
    const isAbsent = error instanceof UpstreamNotFoundError || error instanceof NotFoundError
    if (!isAbsent) return { ...task, asked, failure: failureOf(error) }
    return task.resource === 'salesUnitWebhooks' ? { ...task, asked, webhooks: [] } : { ...task, asked }
  }
}

/** What the store is told of a reading beside its rows. */
const outcomeOf = ({ settings }: SyncSource, read: Read): Outcome => {
  const { resource, key, failure, value, skipped = 0 } = read
  const askedMs = performance.now() - read.asked
  if (failure) {
    const [nextInSeconds, mostSeconds] = [settings.retrySeconds, settings.listIdleSeconds]
    return { resource, key, askedMs: 0, failure, nextInSeconds, mostSeconds }
  }
  // A sales unit that is not there is asked for when somebody looks again; of an order its list says all there is.
  const isGone = resource === 'salesUnit' && value === undefined
  const isOnDemand = resource === 'productOrder' || isGone
  if (isOnDemand) return { resource, key, askedMs, nextInSeconds: Infinity }
  const nextInSeconds = resource === 'salesUnitWebhooks' ? settings.webhookSeconds : settings.detailSeconds
  return { resource, key, askedMs, nextInSeconds, skipped }
}

const answerOf = ({ key, value, asked }: Read): TimedAnswer => ({
  source: 'details',
  key,
  value,
  askedMs: performance.now() - asked,
})

/** Rows of one kind and what was noted of them, together. @returns rows written */
const applyOnes = async (
  source: SyncSource,
  organisation: Organisation,
  resource: Exclude<DetailResource, 'salesUnitWebhooks'>,
  reads: readonly Read[],
): Promise<number> => {
  const answers = reads.filter(({ failure }) => !failure).map(answerOf)
  const outcomes = reads.map((read) => outcomeOf(source, read))
  return applyAnswers(source.database, organisation, details[resource], answers, (trx) =>
    noteReadings(trx, organisation, outcomes),
  )
}

/** The webhooks of sales units, each list whole: what it has no more is gone, if that can be believed. */
const applyWebhooks = async (
  source: SyncSource,
  organisation: Organisation,
  reads: readonly Read[],
): Promise<number> => {
  const { database, settings, logger } = source
  const msns = reads.map(({ key }) => key)
  const rows = await webhooksOfSalesUnits(database.kysely, organisation, msns)
  const answers: TimedAnswer[] = []
  const outcomes: Outcome[] = []
  for (const read of reads) {
    const { key: msn, webhooks, asked } = read
    const askedMs = performance.now() - asked
    const present = new Map(webhooks?.map((item) => [webhookKey(msn, item), item]))
    const current = rows.filter((row) => row.msn === msn && row.removed_by === null)
    // Rows that make no sense may be any of those that seem to be missing.
    const missing = current.filter(({ key }) => !present.has(key))
    const lost = missing.length > (read.skipped ?? 0) ? missing : []
    const doubtful = webhooks && isHardToBelieve({ current: current.length, lost: lost.length })
    if (doubtful) {
      const reading = await readingOf(database.kysely, organisation, 'salesUnitWebhooks', msn)
      if (!isBelievedNow(reading, settings.doubtSeconds)) {
        await doubtReading(database.kysely, organisation, 'salesUnitWebhooks', msn, settings.doubtSeconds)
        continue
      }
      const line = { organisation: organisationKey(organisation), resource: 'salesUnitWebhooks', msn }
      logger.warn({ ...line, lost: lost.length }, 'a list that has lost much was read twice, and is believed')
    }
    outcomes.push(outcomeOf(source, read))
    for (const [key, value] of present) answers.push({ source: 'list', key, value, askedMs })
    if (webhooks) for (const { key } of lost) answers.push({ source: 'list', key, value: undefined, askedMs })
  }
  return applyAnswers(database, organisation, webhookKind, answers, (trx) =>
    noteReadings(trx, organisation, outcomes),
  )
}

/** Brings the store in step with what was read. @returns how many rows were written */
export const applyDetails = async (
  source: SyncSource,
  tidy: Tidy,
  organisation: Organisation,
  reads: readonly Read[],
): Promise<number> => {
  let written = 0
  for (const [resource, group] of Map.groupBy(reads, (read) => read.resource)) {
    const isList = resource === 'salesUnitWebhooks'
    const rows = isList
      ? await applyWebhooks(source, organisation, group)
      : await applyOnes(source, organisation, resource, group)
    await tidy(isList ? webhookKind.table : details[resource].table, rows)
    written += rows
  }
  return written
}
