import {
  NotFoundError,
  UpstreamBusyError,
  UpstreamError,
  UpstreamNotFoundError,
  UpstreamRefusedError,
} from '../errors.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { DueTask } from '../store/due.ts'
import { type Json, webhooksOfSalesUnits } from '../store/records.ts'
import { type DetailResource, type Failure, findSyncState, markSuspect, type Outcome } from '../store/sync-state.ts'
import { applyAnswers, type Moment, type TimedAnswer, type Vacuum } from './apply.ts'
import type { SyncContext } from './context.ts'
import { asStored, isConfirmed, isSuspect } from './list-diff.ts'
import { details, readWebhooksOf, webhookKey, webhookKind } from './resources.ts'

/** A record whose details are due. */
export type DetailTask = Pick<DueTask, 'key' | 'priority'> & { readonly resource: DetailResource }

/** The result of one call: data for the store, or the failure. */
export type Detail = DetailTask & {
  readonly asked: number
  readonly failure?: Failure
  /** What the API said about the failure. */
  readonly said?: string | undefined
  /** Undefined after a 404. For the webhooks of a sales unit: all of them. */
  readonly value?: Json | undefined
  readonly webhooks?: readonly Json[]
  readonly skipped?: number
}

/** Calls the API once. Never rejects for failures of the API. */
export async function readDetail(
  { clientOf }: SyncContext,
  organisation: Organisation,
  task: DetailTask,
  signal: AbortSignal,
): Promise<Detail> {
  const asked = performance.now()
  const client = clientOf(organisation)
  const { resource, key, priority } = task
  const isLast = resource === 'salesUnitWebhooks' && priority === 'background'
  const options = { priority: isLast ? 'last' : priority === 'unlisted' ? 'unknown' : priority, signal } as const
  try {
    if (resource === 'salesUnitWebhooks') {
      const { rows, malformed } = await readWebhooksOf(client, key, options)
      return { ...task, asked, webhooks: rows.map(asStored), skipped: malformed.length }
    }
    return { ...task, asked, value: asStored(await details[resource].read(client, key, options)) }
  } catch (error) {
    // NotFoundError: an id from the API itself that its own endpoint does not accept.
    const isAbsent = error instanceof UpstreamNotFoundError || error instanceof NotFoundError
    if (!isAbsent) return { ...task, asked, ...failureOf(error) }
    return resource === 'salesUnitWebhooks' ? { ...task, asked, webhooks: [] } : { ...task, asked }
  }
}

/** Writes details to the store; `moment` is that of the worker. @returns the number of rows written, and the outcomes to write */
export async function applyDetails(
  context: SyncContext,
  vacuum: Vacuum,
  organisation: Organisation,
  read: readonly Detail[],
  moment: Moment,
): Promise<{ readonly written: number; readonly outcomes: readonly Outcome[] }> {
  let written = 0
  const outcomes: Outcome[] = []
  for (const [resource, group] of Map.groupBy(read, (detail) => detail.resource)) {
    const applied =
      resource === 'salesUnitWebhooks'
        ? await applyWebhooks(context, organisation, group, moment)
        : await applyRecords(context, organisation, resource, group, moment)
    const { table } = resource === 'salesUnitWebhooks' ? webhookKind : details[resource]
    await vacuum(table, applied.written)
    written += applied.written
    outcomes.push(...applied.outcomes)
  }
  return { written, outcomes }
}

/** Writes the webhooks of sales units, each a complete list; a list that lost too many rows is suspect. */
async function applyWebhooks(
  context: SyncContext,
  organisation: Organisation,
  read: readonly Detail[],
  moment: Moment,
): Promise<{ readonly written: number; readonly outcomes: readonly Outcome[] }> {
  const { db, settings, logger } = context
  const msns = read.map(({ key }) => key)
  const rows = await webhooksOfSalesUnits(db, organisation, msns)
  const answers: TimedAnswer[] = []
  const outcomes: Outcome[] = []
  for (const detail of read) {
    const { key: msn, webhooks, asked } = detail
    const askedMs = performance.now() - asked
    const present = new Map(webhooks?.map((item) => [webhookKey(msn, item), item]))
    const stored = rows.filter((row) => row.msn === msn && row.removed_by === null)
    // Malformed rows may be any of those that seem to be missing.
    const missing = stored.filter(({ key }) => !present.has(key))
    const lost = missing.length > (detail.skipped ?? 0) ? missing : []
    if (webhooks && isSuspect({ stored: stored.length, lost: lost.length })) {
      const state = await findSyncState(db, organisation, 'salesUnitWebhooks', msn)
      if (!isConfirmed(state?.suspectSeconds, settings)) {
        await markSuspect(db, organisation, 'salesUnitWebhooks', msn, settings.suspectSeconds)
        continue
      }
      const line = { organisation: organisationKey(organisation), resource: 'salesUnitWebhooks', msn }
      logger.warn({ ...line, lost: lost.length }, 'list confirmed: a second read lost as many rows')
    }
    outcomes.push(outcomeOf(context, detail))
    for (const [key, value] of present) answers.push({ source: 'list', key, value, askedMs })
    if (webhooks) for (const { key } of lost) answers.push({ source: 'list', key, value: undefined, askedMs })
  }
  const { written } = await applyAnswers(context, organisation, webhookKind, answers, moment)
  return { written, outcomes }
}

/** Writes records of one kind, and returns their outcomes. */
async function applyRecords(
  context: SyncContext,
  organisation: Organisation,
  resource: Exclude<DetailResource, 'salesUnitWebhooks'>,
  read: readonly Detail[],
  moment: Moment,
): Promise<{ readonly written: number; readonly outcomes: readonly Outcome[] }> {
  const answers = read.filter(({ failure }) => !failure).map(answerOf)
  const { written, refused } = await applyAnswers(context, organisation, details[resource], answers, moment)
  const outcomes = read.map((detail) => outcomeOf(context, detail, refused.includes(detail.key) ? 1 : 0))
  return { written, outcomes }
}

/** The outcome of one call, for the sync state. */
function outcomeOf({ settings }: SyncContext, detail: Detail, refused = 0): Outcome {
  const { resource, key, failure, said, value, asked } = detail
  if (failure) {
    const [nextSeconds, maxSeconds] = [settings.retrySeconds, settings.listIdleSeconds]
    return { resource, key, askedMs: 0, failure, said, nextSeconds, maxSeconds }
  }
  const askedMs = performance.now() - asked
  const skipped = (detail.skipped ?? 0) + refused
  // An absent sales unit is read again when a user asks; a list has all data of an order.
  const isOnDemand = resource === 'productOrder' || (resource === 'salesUnit' && value === undefined)
  const absent = resource !== 'salesUnitWebhooks' && value === undefined
  if (isOnDemand) return { resource, key, askedMs, nextSeconds: Infinity, skipped, absent }
  const nextSeconds = resource === 'salesUnitWebhooks' ? settings.webhookSeconds : settings.detailSeconds
  return { resource, key, askedMs, nextSeconds, skipped, absent }
}

function answerOf({ key, value, asked }: Detail): TimedAnswer {
  return { source: 'details', key, value, askedMs: performance.now() - asked }
}

/** The failure for the sync state, with what the API said. @throws the error itself when it is not a failure of the API */
export function failureOf(error: unknown): { readonly failure: Failure; readonly said: string | undefined } {
  if (!(error instanceof UpstreamError)) throw error
  const { status, title, said } = error.failure
  const texts = [title, said].filter((text) => text !== undefined && text !== '')
  const words = texts.length === 0 ? undefined : [...(status === undefined ? [] : [status]), ...texts].join(' ')
  if (error instanceof UpstreamBusyError) return { failure: 'limited', said: words }
  return { failure: error instanceof UpstreamRefusedError ? 'refused' : 'unavailable', said: words }
}
