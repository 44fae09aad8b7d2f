import { type Organisation, organisationKey } from '../organisation.ts'
import { dueDetails } from '../store/due-work.ts'
import type { Tidy } from './apply.ts'
import { applyDetails, type Read, readDetail, type Task } from './details.ts'
import { summariseAgain } from './summaries.ts'
import type { SyncSource } from './source.ts'

/** One run goes on for so long, then gives the job back, so that other organisations get their turn. */
const runMs = 60_000
/** Answers wait for others so long before they are written together. */
const gatherMs = 150
const mostGathered = 200
/** What somebody has begun to look at meanwhile is found within this. */
const lookMs = 300
/** Webhooks of sales units take a quarter of the rate: nobody waits for them. */
const gentleShare = 4
/** So many failures with nothing between them end a run. */
const failuresInARow = 10
/** How often the pages' progress is counted. */
const progressMs = 2000
/** Calls that wait for their turn, so that none goes by while answers are written. */
const aheadSeconds = 0.75

const nameOf = ({ resource, key }: Task): string => `${resource} ${key}`

/** The tasks of a run: what is due, little at a time, so that what somebody looks at comes soon. */
const createBuffer = (source: SyncSource, organisation: Organisation, size: number) => {
  const gentleMs = (1000 * gentleShare) / source.limits.maxPerSecond
  const busy = new Set<string>()
  let tasks: Task[] = []
  let [lookedAt, gentleAt] = [-Infinity, 0]
  let isDry = false
  return {
    gentleMs,
    /** Nothing left, and nothing more was found. */
    isEmpty: () => isDry && tasks.length === 0,
    refill: async (): Promise<void> => {
      const isLow = tasks.length < size && !isDry
      if (!isLow && performance.now() - lookedAt < lookMs) return
      lookedAt = performance.now()
      const due = await dueDetails(source.database.kysely, organisation, {
        limit: size * 2,
        busy: [...busy],
        queued: tasks.map(nameOf),
      })
      isDry = due.tasks.length === 0
      const found = due.tasks.map((task) => ({ ...task, wanted: due.wanted }))
      const names = new Set(found.map(nameOf))
      const others = tasks.filter((task) => !names.has(nameOf(task)))
      const all = due.wanted ? [...found, ...others] : [...others, ...found]
      // Webhooks that were found while nothing else was due wait again when something is.
      const isGentle = ({ resource, wanted }: Task): boolean => resource === 'salesUnitWebhooks' && !wanted
      tasks = [...all.filter((task) => !isGentle(task)), ...all.filter(isGentle)]
    },
    /** The next task; undefined when there is none, or when it is too early for it. */
    take: (): Task | undefined => {
      const [first] = tasks
      if (!first) return undefined
      if (first.resource === 'salesUnitWebhooks' && !first.wanted) {
        if (performance.now() < gentleAt) return undefined
        gentleAt = performance.now() + gentleMs
      }
      tasks.shift()
      busy.add(nameOf(first))
      return first
    },
    /** These are written: what is due is due anew. */
    done: (reads: readonly Read[]): void => {
      for (const read of reads) busy.delete(nameOf(read))
      isDry = false
    },
  }
}

/** How a run ended: nothing is due, more is due, or the API did not answer. */
export type RunEnd = 'done' | 'more' | 'failed'

/**
 * Reads what an organisation has due one by one: what somebody looks at first, then what was never read, then the
 * oldest, and webhooks of sales units when nothing else is left. Ends when nothing is due, after a minute, or when
 * the API does not answer. Rejects only for what is not the API's doing.
 */
export const readDetails = async (
  source: SyncSource,
  tidy: Tidy,
  organisation: Organisation,
  signal: AbortSignal,
): Promise<RunEnd> => {
  const { limits, logger } = source
  const began = performance.now()
  const atOnce = limits.maxConcurrency + Math.ceil(limits.maxPerSecond * aheadSeconds)
  const buffer = createBuffer(source, organisation, atOnce)
  let gathered: Read[] = []
  let [inFlight, failures, total, written] = [0, 0, 0, 0]
  let [flushedAt, countedAt] = [began, began]
  let flushing: Promise<void> | undefined
  let fault: { readonly error: unknown } | undefined
  let wake = Promise.withResolvers<void>()

  const flush = async (): Promise<void> => {
    const reads = gathered
    gathered = []
    flushedAt = performance.now()
    written += await applyDetails(source, tidy, organisation, reads)
    buffer.done(reads)
    if (performance.now() - countedAt < progressMs) return
    countedAt = performance.now()
    await summariseAgain(source, organisation, 'salesUnits', { inPassing: true })
  }
  const failed = (error: unknown): void => {
    fault ??= { error }
  }
  const flushBehind = (): void => {
    flushing ??= flush()
      .catch(failed)
      .finally(() => {
        flushing = undefined
        wake.resolve()
      })
  }
  const read = async (task: Task): Promise<void> => {
    inFlight += 1
    try {
      const answer = await readDetail(source, organisation, task, signal)
      if (signal.aborted) return
      failures = answer.failure ? failures + 1 : 0
      total += 1
      gathered.push(answer)
    } catch (error) {
      failed(error)
    } finally {
      inFlight -= 1
      wake.resolve()
    }
  }
  /** Begins as many calls as may wait for their turn. */
  const beginAll = (): void => {
    const task = inFlight < atOnce ? buffer.take() : undefined
    if (!task) return
    void read(task)
    beginAll()
  }
  const sleep = async (): Promise<void> => {
    const timer = setTimeout(() => wake.resolve(), Math.min(buffer.gentleMs, gatherMs))
    await wake.promise
    clearTimeout(timer)
    wake = Promise.withResolvers<void>()
  }
  const isBusy = (): boolean => inFlight > 0 || flushing !== undefined
  const isOver = (): boolean =>
    signal.aborted || fault !== undefined || failures >= failuresInARow || performance.now() - began > runMs

  while (!isOver()) {
    await buffer.refill()
    beginAll()
    const isTime =
      performance.now() - flushedAt > gatherMs || gathered.length >= mostGathered || inFlight === 0
    if (gathered.length > 0 && isTime) flushBehind()
    if (buffer.isEmpty() && gathered.length === 0 && !isBusy()) break
    await sleep()
  }
  while (isBusy()) await sleep()
  if (fault) throw fault.error
  if (signal.aborted) return 'done'
  await flush()
  if (total > 0) {
    for (const resource of ['salesUnits', 'productOrders', 'webhooks'] as const)
      await summariseAgain(source, organisation, resource)
    const line = { organisation: organisationKey(organisation), read: total, written, failures }
    logger.info({ ...line, ms: Math.round(performance.now() - began) }, 'details read')
  }
  if (failures >= failuresInARow) return 'failed'
  return performance.now() - began > runMs ? 'more' : 'done'
}
