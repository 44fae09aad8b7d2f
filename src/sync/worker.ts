import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { type DueTask, dueTasks, makeDue } from '../store/due.ts'
import { summarise } from '../store/summaries.ts'
import { type Failure, type ListResource, listResources, noteOutcomes, type Outcome } from '../store/sync-state.ts'
import type { Moment, Vacuum } from './apply.ts'
import type { SyncContext } from './context.ts'
import { applyDetails, type Detail, type DetailTask, readDetail } from './details.ts'
import { type EnqueueWrite, type ListTask, syncList } from './lists.ts'
import { lists } from './resources.ts'

/** How a worker ended: nothing is due; details were left because other organisations wait; the API does not answer. */
export type WorkerEnd = 'done' | 'unfinished' | 'failed'

/** The worker of one organisation: it reads everything that is due, most urgent first, then ends. */
export type Worker = {
  /** Checks for user requests at once. */
  readonly wake: () => void
  /** Rejects for internal errors only, never for failures of the API. */
  readonly ended: Promise<WorkerEnd>
}

/** Connects a worker to the sync. */
export type WorkerOptions = {
  readonly vacuum: Vacuum
  readonly signal: AbortSignal
  /** Whether other organisations wait for a worker; `urgently`: with due lists, or a waiting user. */
  readonly othersWait: () => { readonly urgently: boolean; readonly atAll: boolean }
  /** Called when outcomes were written. */
  readonly onNoted: () => void
}

/** How long results are collected before they are written together. */
const gatherMs = 150
const mostGathered = 200
/** The interval of checks for what became due meanwhile, and the least time between two checks. */
const [pollMs, pollAgainMs] = [5000, 50]
/** Webhooks of sales units use at most a quarter of the rate, as no user waits for them. */
const webhookRateDivisor = 4
/** Consecutive failures that end a worker. */
const failuresInARow = 10
/** Consecutive failures of details after which the lists are tried, because their pages say that the API does not answer. */
const failuresUntilLists = 3
/** The interval at which progress counts are updated. */
const progressMs = 2000
/** Calls that wait for their permit, in seconds of the rate, so that no permit is lost while results are written. */
const aheadSeconds = 0.75
/** How long a worker runs while other organisations wait. */
const sliceMs = 60_000

/** Starts the worker of one organisation. */
export function startWorker(context: SyncContext, organisation: Organisation, options: WorkerOptions): Worker {
  const worker = new OrganisationWorker(context, organisation, options)
  return { wake: () => worker.wake(), ended: worker.run() }
}

class OrganisationWorker {
  readonly #context: SyncContext
  readonly #organisation: Organisation
  readonly #options: WorkerOptions
  readonly #atOnce: number
  readonly #webhookIntervalMs: number
  readonly #began = performance.now()
  /** Tasks that are being read or written, by name. */
  readonly #busy = new Set<string>()
  #tasks: DueTask[] = []
  #gathered: Detail[] = []
  #outcomes: Outcome[] = []
  #inFlight = 0
  #failures = 0
  readonly #moment: Moment = {}
  #read = 0
  #written = 0
  #refilledAt = -Infinity
  /** A user's request has come: the due tasks are loaded at once. */
  #isWoken = false
  #flushedAt = performance.now()
  #countedAt = performance.now()
  #nextWebhooksAt = 0
  #isExhausted = false
  #leavesDetails = false
  /** Lists whose counts on pages are outdated. */
  readonly #outdated = new Set<ListResource>()
  #flushing: Promise<void> | undefined
  #writing: Promise<unknown> = Promise.resolve()
  #fault: { readonly error: unknown } | undefined
  #woken = Promise.withResolvers<void>()

  constructor(context: SyncContext, organisation: Organisation, options: WorkerOptions) {
    const { maxConcurrency, maxPerSecond } = context.limits
    this.#context = context
    this.#organisation = organisation
    this.#options = options
    this.#atOnce = maxConcurrency + Math.ceil(maxPerSecond * aheadSeconds)
    this.#webhookIntervalMs = (1000 * webhookRateDivisor) / maxPerSecond
  }

  wake(): void {
    this.#isWoken = true
    this.#isExhausted = false
    this.#woken.resolve()
  }

  async run(): Promise<WorkerEnd> {
    while (!this.#isOver()) {
      await this.#refill()
      this.#startTasks()
      this.#flushIfDue()
      if (this.#isIdle()) break
      await this.#pause()
    }
    // Running calls may take long to fail, so results are written meanwhile.
    while (this.#isBusy()) {
      if (!this.#options.signal.aborted) this.#flushIfDue()
      await this.#pause()
    }
    if (this.#fault) throw this.#fault.error
    if (this.#options.signal.aborted) return 'unfinished'
    await this.#flush()
    await this.#summarise()
    if (this.#failures >= failuresInARow) return 'failed'
    return this.#leavesDetails ? 'unfinished' : 'done'
  }

  /** Whether this worker must yield to other organisations. */
  #mustYield(): boolean {
    const { urgently, atAll } = this.#options.othersWait()
    return urgently || (atAll && performance.now() - this.#began > sliceMs)
  }

  #isOver(): boolean {
    return this.#options.signal.aborted || this.#fault !== undefined || this.#failures >= failuresInARow
  }

  #isBusy(): boolean {
    return this.#inFlight > 0 || this.#flushing !== undefined
  }

  #isIdle(): boolean {
    const hasResults = this.#gathered.length + this.#outcomes.length > 0
    return this.#isExhausted && this.#tasks.length === 0 && !hasResults && !this.#isBusy()
  }

  /** Loads due tasks, few at a time, so that user requests come soon. */
  async #refill(): Promise<void> {
    const isLow = this.#tasks.length < this.#atOnce && !this.#isExhausted
    const sinceMs = performance.now() - this.#refilledAt
    if (!this.#isWoken && sinceMs < (isLow ? pollAgainMs : pollMs)) return
    this.#isWoken = false
    this.#refilledAt = performance.now()
    this.#leavesDetails = this.#mustYield()
    const { listActiveSeconds, listIdleSeconds } = this.#context.settings
    const limit = this.#atOnce * 2
    // A write during the query may make more due.
    this.#isExhausted = true
    const found = await dueTasks(this.#context.db, this.#organisation, {
      limit,
      busy: [...this.#busy],
      listSlackSeconds: Math.min(listActiveSeconds, listIdleSeconds) / 10,
      listsOnly: this.#leavesDetails,
    })
    if (found.length === limit) this.#isExhausted = false
    this.#tasks = found
  }

  #startTasks(): void {
    while (this.#inFlight < this.#atOnce) {
      const task = this.#takeTask()
      if (!task) return
      void this.#work(task)
    }
  }

  /** The next task; undefined when there is none, or when its rate limit requires a pause. */
  #takeTask(): DueTask | undefined {
    const [first] = this.#tasks
    if (!first) return undefined
    if (first.resource === 'salesUnitWebhooks' && first.priority === 'background') {
      const now = performance.now()
      if (now < this.#nextWebhooksAt) return undefined
      this.#nextWebhooksAt = Math.max(this.#nextWebhooksAt + this.#webhookIntervalMs, now - this.#webhookIntervalMs)
    }
    this.#tasks.shift()
    this.#busy.add(nameOf(first))
    return first
  }

  async #work(task: DueTask): Promise<void> {
    this.#inFlight += 1
    try {
      if (isList(task)) await this.#syncList(task)
      else if (isDetail(task)) await this.#readDetail(task)
    } catch (error) {
      this.#fault ??= { error }
    } finally {
      this.#inFlight -= 1
      this.#woken.resolve()
    }
  }

  async #readDetail(task: DueTask & DetailTask): Promise<void> {
    const detail = await readDetail(this.#context, this.#organisation, task, this.#options.signal)
    if (this.#options.signal.aborted) return
    this.#count(detail.failure)
    if (this.#failures === failuresUntilLists) await this.#tryLists()
    this.#read += 1
    if (!task.isRead && task.priority !== 'unlisted') this.#outdateCounts(detail)
    this.#gathered.push(detail)
  }

  async #syncList(task: DueTask & ListTask): Promise<void> {
    const { vacuum, signal } = this.#options
    const outcome = await syncList(this.#context, vacuum, this.#organisation, task, this.#enqueueWrite, signal)
    if (outcome) {
      this.#count(outcome.failure)
      this.#outcomes.push(outcome)
    } else this.#busy.delete(nameOf(task))
  }

  #count(failure: Failure | undefined): void {
    this.#failures = failure ? this.#failures + 1 : 0
  }

  /** Makes the lists due that do not fail yet. */
  async #tryLists(): Promise<void> {
    await makeDue(this.#context.db, this.#organisation, { listsOnly: true, answeringOnly: true })
    this.wake()
  }

  readonly #enqueueWrite: EnqueueWrite = async (write) => {
    const queued = this.#writing.then(write)
    this.#writing = queued.catch(() => {})
    const result = await queued
    // The write may have made details due.
    if (result.written > 0 && !this.#leavesDetails) this.#isExhausted = false
    this.#woken.resolve()
    return result
  }

  #flushIfDue(): void {
    const results = this.#gathered.length + this.#outcomes.length
    const isTime = this.#inFlight === 0 || results >= mostGathered || performance.now() - this.#flushedAt > gatherMs
    if (results === 0 || !isTime || this.#flushing) return
    this.#flushing = this.#flush()
      .catch((error: unknown) => {
        this.#fault ??= { error }
      })
      .finally(() => {
        this.#flushing = undefined
        this.#woken.resolve()
      })
  }

  /** Writes the results, then their outcomes. */
  async #flush(): Promise<void> {
    const { db, settings } = this.#context
    const [gathered, outcomes] = [this.#gathered, this.#outcomes]
    ;[this.#gathered, this.#outcomes, this.#flushedAt] = [[], [], performance.now()]
    const applied = await this.#enqueueWrite(() =>
      applyDetails(this.#context, this.#options.vacuum, this.#organisation, gathered, this.#moment),
    )
    this.#written += applied.written
    if (applied.written > 0) for (const detail of gathered) this.#outdateCounts(detail)
    const all = [...outcomes, ...applied.outcomes]
    await noteOutcomes(db, this.#organisation, all, settings.activeForSeconds)
    for (const task of [...gathered, ...outcomes]) this.#busy.delete(nameOf(task))
    if (all.length > 0) this.#options.onNoted()
    if (gathered.length === 0 || performance.now() - this.#countedAt < progressMs) return
    this.#countedAt = performance.now()
    await this.#summariseList('salesUnits', { inPassing: true })
  }

  #outdateCounts({ resource, value, failure }: Detail): void {
    if (resource === 'productOrder') this.#outdated.add('productOrders')
    else if (resource !== 'salesUnitWebhooks') this.#outdated.add('salesUnits')
    // The webhooks of a sales unit that is gone are removed with it.
    if (resource === 'salesUnitWebhooks' || (resource === 'salesUnit' && !value && !failure))
      this.#outdated.add('webhooks')
  }

  async #summariseList(resource: ListResource, how?: { readonly inPassing: boolean }): Promise<void> {
    const { table } = lists[resource]
    await summarise(this.#context.db, this.#organisation, { resource, table }, { ...how, again: true })
  }

  async #summarise(): Promise<void> {
    if (this.#read === 0) return
    for (const resource of this.#outdated) await this.#summariseList(resource)
    const line = { organisation: organisationKey(this.#organisation), read: this.#read }
    const ms = Math.round(performance.now() - this.#began)
    this.#context.logger.info({ ...line, written: this.#written, failures: this.#failures, ms }, 'details read')
  }

  /** Waits for an event, or for the next webhook call or flush. */
  async #pause(): Promise<void> {
    const timer = setTimeout(() => this.#woken.resolve(), Math.min(this.#webhookIntervalMs, gatherMs))
    await this.#woken.promise
    clearTimeout(timer)
    this.#woken = Promise.withResolvers<void>()
  }
}

function nameOf({ resource, key }: Pick<DueTask, 'resource' | 'key'>): string {
  return `${resource} ${key}`
}

function isList(task: DueTask): task is DueTask & ListTask {
  return listResources.some((name) => name === task.resource)
}

function isDetail(task: DueTask): task is DueTask & DetailTask {
  return !isList(task)
}
