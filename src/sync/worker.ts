import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { type DueTask, dueTasks } from '../store/due.ts'
import { listResources, noteOutcomes, type Outcome } from '../store/sync-state.ts'
import type { Vacuum } from './apply.ts'
import type { SyncContext } from './context.ts'
import { applyDetails, type Detail, type DetailTask, readDetail } from './details.ts'
import { type InTurn, type ListTask, syncList } from './lists.ts'
import { summariseAgain } from './summaries.ts'

/** How a worker ended: nothing is due; details were left because other organisations wait; the API does not answer. */
export type WorkerEnd = 'done' | 'unfinished' | 'failed'

/** The one worker of an organisation: it reads everything that is due, the most urgent first, then ends. */
export type Worker = {
  /** PageViewAudit at once for what a user has requested meanwhile. */
  readonly wake: () => void
  /** Rejects only for what is not the API's doing. */
  readonly ended: Promise<WorkerEnd>
}

/** What a worker must know of the others. */
export type WorkerOptions = {
  readonly vacuum: Vacuum
  readonly signal: AbortSignal
  /** Whether organisations wait for this worker's place: `urgently` those with lists to read or a user waiting. */
  readonly othersWait: () => { readonly urgently: boolean; readonly atAll: boolean }
  /** Called when outcomes were written. */
  readonly onNoted: () => void
}

/** Answers wait so long for others before they are written together. */
const gatherMs = 150
const mostGathered = 200
/** What a user requests through another instance is found within this. */
const lookAgainMs = 300
/** Webhooks of sales units take a quarter of the rate: no user waits for them. */
const gentleShare = 4
/** So many failures with nothing between them end a worker. */
const failuresInARow = 10
/** How often the pages' progress is counted. */
const progressMs = 2000
/** Calls that wait for their permit, so that none goes by while answers are written. */
const aheadSeconds = 0.75
/** A worker goes on for so long while other organisations wait. */
const sliceMs = 60_000

export function startWorker(context: SyncContext, organisation: Organisation, options: WorkerOptions): Worker {
  const worker = new OrganisationWorker(context, organisation, options)
  return { wake: () => worker.wake(), ended: worker.run() }
}

class OrganisationWorker {
  readonly #context: SyncContext
  readonly #organisation: Organisation
  readonly #options: WorkerOptions
  readonly #atOnce: number
  readonly #gentleMs: number
  readonly #began = performance.now()
  /** What is being read or written, by name. */
  readonly #busy = new Set<string>()
  #tasks: DueTask[] = []
  #gathered: Detail[] = []
  #outcomes: Outcome[] = []
  #inFlight = 0
  #failures = 0
  #read = 0
  #written = 0
  #lookedAt = -Infinity
  #flushedAt = performance.now()
  #countedAt = performance.now()
  #gentleAt = 0
  #isDry = false
  #leavesDetails = false
  /** A record was read for the first time: the counts of pages are others now. */
  #hasNews = false
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
    this.#gentleMs = (1000 * gentleShare) / maxPerSecond
  }

  wake(): void {
    this.#lookedAt = -Infinity
    this.#isDry = false
    this.#woken.resolve()
  }

  async run(): Promise<WorkerEnd> {
    while (!this.#isOver()) {
      await this.#refill()
      this.#startTasks()
      this.#flushWhenWorth()
      if (this.#isIdle()) break
      await this.#pause()
    }
    // Calls under way may take long to fail: what was read is written meanwhile.
    while (this.#isBusy()) {
      if (!this.#options.signal.aborted) this.#flushWhenWorth()
      await this.#pause()
    }
    if (this.#fault) throw this.#fault.error
    if (this.#options.signal.aborted) return 'unfinished'
    await this.#flush()
    await this.#summarise()
    if (this.#failures >= failuresInARow) return 'failed'
    return this.#leavesDetails ? 'unfinished' : 'done'
  }

  /** Whether this worker should make room for other organisations. */
  #mustMakeRoom(): boolean {
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
    return this.#isDry && this.#tasks.length === 0 && !hasResults && !this.#isBusy()
  }

  /** Finds due tasks, few at a time, so that what a user requests comes soon. */
  async #refill(): Promise<void> {
    const isLow = this.#tasks.length < this.#atOnce && !this.#isDry
    if (!isLow && performance.now() - this.#lookedAt < lookAgainMs) return
    this.#lookedAt = performance.now()
    this.#leavesDetails = this.#mustMakeRoom()
    const { listActiveSeconds, listIdleSeconds } = this.#context.settings
    const limit = this.#atOnce * 2
    const found = await dueTasks(this.#context.db, this.#organisation, {
      limit,
      busy: [...this.#busy],
      listSlackSeconds: Math.min(listActiveSeconds, listIdleSeconds) / 10,
      listsOnly: this.#leavesDetails,
    })
    this.#isDry = found.length < limit
    this.#tasks = found
  }

  #startTasks(): void {
    while (this.#inFlight < this.#atOnce) {
      const task = this.#takeTask()
      if (!task) return
      void this.#work(task)
    }
  }

  /** The next task; undefined when there is none, or when it is too early for it. */
  #takeTask(): DueTask | undefined {
    const [first] = this.#tasks
    if (!first) return undefined
    if (first.resource === 'salesUnitWebhooks' && first.priority === 'background') {
      const now = performance.now()
      if (now < this.#gentleAt) return undefined
      this.#gentleAt = Math.max(this.#gentleAt + this.#gentleMs, now - this.#gentleMs)
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
    this.#read += 1
    this.#hasNews ||= !task.isRead && task.priority !== 'unlisted'
    this.#gathered.push(detail)
  }

  async #syncList(task: DueTask & ListTask): Promise<void> {
    const { vacuum, signal } = this.#options
    const outcome = await syncList(this.#context, vacuum, this.#organisation, task, this.#inTurn, signal)
    if (outcome) {
      this.#count(outcome.failure)
      this.#outcomes.push(outcome)
    } else this.#busy.delete(nameOf(task))
  }

  #count(failure: 'unavailable' | 'refused' | undefined): void {
    this.#failures = failure ? this.#failures + 1 : 0
  }

  readonly #inTurn: InTurn = async (write) => {
    const turn = this.#writing.then(write).finally(() => {
      // What was written may be of records whose details are due now.
      this.#isDry = false
      this.#woken.resolve()
    })
    this.#writing = turn.catch(() => {})
    return turn
  }

  #flushWhenWorth(): void {
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

  /** Writes what was read, then how that went. */
  async #flush(): Promise<void> {
    const { db, settings } = this.#context
    const [gathered, outcomes] = [this.#gathered, this.#outcomes]
    ;[this.#gathered, this.#outcomes, this.#flushedAt] = [[], [], performance.now()]
    const applied = await this.#inTurn(() =>
      applyDetails(this.#context, this.#options.vacuum, this.#organisation, gathered),
    )
    this.#written += applied.written
    const all = [...outcomes, ...applied.outcomes]
    await noteOutcomes(db, this.#organisation, all, settings.activeForSeconds)
    for (const task of [...gathered, ...outcomes]) this.#busy.delete(nameOf(task))
    this.#isDry = false
    if (all.length > 0) this.#options.onNoted()
    if (gathered.length === 0 || performance.now() - this.#countedAt < progressMs) return
    this.#countedAt = performance.now()
    await summariseAgain(db, this.#organisation, 'salesUnits', { inPassing: true })
  }

  async #summarise(): Promise<void> {
    if (this.#read === 0) return
    if (this.#hasNews || this.#written > 0)
      for (const resource of ['salesUnits', 'productOrders', 'webhooks'] as const)
        await summariseAgain(this.#context.db, this.#organisation, resource)
    const line = { organisation: organisationKey(this.#organisation), read: this.#read }
    const ms = Math.round(performance.now() - this.#began)
    this.#context.logger.info({ ...line, written: this.#written, failures: this.#failures, ms }, 'details read')
  }

  /** Until something has happened, or it is time for the next gentle call or flush. */
  async #pause(): Promise<void> {
    const timer = setTimeout(() => this.#woken.resolve(), Math.min(this.#gentleMs, gatherMs))
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
