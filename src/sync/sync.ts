import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseUnavailableError } from '../errors.ts'
import { merchantKey } from '../domain/business-identifier.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Organisations } from '../domain/organisations.ts'
import { addLists, makeDue } from '../store/due.ts'
import {
  addOrganisations,
  findWaiting,
  leaseOrganisations,
  leaseSeconds,
  releaseLease,
  renewLeases,
  takeRequests,
} from '../store/leases.ts'
import { createVacuum } from './apply.ts'
import type { SyncContext } from './context.ts'
import { listsOf } from './resources.ts'
import { startWorker, type Worker, type WorkerEnd } from './worker.ts'

/** The background work of one instance, which keeps the store in sync with the API. Instances share it by leases. */
export type Sync = {
  /** Leases due organisations now, instead of at the next tick. */
  readonly tick: () => Promise<void>
  /** A user requested a refresh: it is read at once, by this instance or the one that has the lease. */
  readonly wake: (organisation: Organisation) => Promise<void>
  /** Resolves when this instance has next written outcomes of this organisation, or at `signal`. */
  readonly noted: (organisation: Organisation, signal: AbortSignal) => Promise<void>
  /** The organisation has new credentials: failed reads are retried. */
  readonly credentialsChanged: (organisation: Organisation) => Promise<void>
  /** The number of organisations that this instance works for. */
  readonly working: () => number
  /** Stops all work; what was read and not written is read again. */
  readonly stop: () => Promise<void>
}

/** The interval at which an instance checks for due organisations. */
const tickMs = 1000
const renewMs = (leaseSeconds * 1000) / 3
/** A worker stops this long before its lease expires, so that no two instances work at once. */
const marginMs = 1000
/** Workers mostly wait for the API, so an instance runs many. */
const maxWorkers = 128
/** The pause of an organisation after an internal error in its worker. */
const faultPauseSeconds = 10
const stopMs = 10_000

type Working = { readonly worker: Worker; readonly expiry: NodeJS.Timeout; readonly ended: Promise<void> }

/**
 * Starts the sync. Every second it leases due organisations, and each gets a worker until nothing of it is due.
 * Organisations may be added and removed meanwhile.
 */
export async function startSync(context: SyncContext, organisations: Organisations): Promise<Sync> {
  const { db, logger, settings } = context
  const instance = randomUUID()
  const stopping = new AbortController()
  const working = new Map<string, Working>()
  const noted = new EventEmitter().setMaxListeners(0)
  const vacuum = createVacuum(db)
  const known = new Set<string>()
  const woken = new Set<string>()
  let renewedAt = performance.now()
  let waiting = { urgently: false, atAll: false }

  async function addNew(): Promise<void> {
    const all = organisations.current()
    const unseen = [...all].filter(([key]) => !known.has(key))
    for (const key of known) if (!all.has(key)) known.delete(key)
    if (unseen.length === 0) return
    await addLists(
      db,
      unseen.flatMap(([, organisation]) => firstTasksOf(organisation)),
    )
    await addOrganisations(
      db,
      unseen.map(([key]) => key),
    )
    for (const [key] of unseen) known.add(key)
  }

  async function renew(): Promise<void> {
    if (working.size === 0 || performance.now() - renewedAt < renewMs) return
    renewedAt = performance.now()
    const held = await renewLeases(db, instance, [...working.keys()])
    for (const key of held) working.get(key)?.expiry.refresh()
  }

  /** Users' requests through other instances. */
  async function wakeRequested(): Promise<void> {
    if (working.size === 0) return
    for (const key of await takeRequests(db, instance)) working.get(key)?.worker.wake()
  }

  async function lease(): Promise<void> {
    const all = organisations.current()
    const free = [...all.keys()].filter((key) => !working.has(key))
    const limit = maxWorkers - working.size
    if (limit > 0 && free.length > 0) {
      const leased = await leaseOrganisations(db, { instance, organisations: free, limit })
      for (const key of leased) start(key, all.get(key))
    }
    waiting = working.size < maxWorkers ? { urgently: false, atAll: false } : await findWaiting(db, free)
  }

  function start(key: string, organisation: Organisation | undefined): void {
    if (!organisation) return
    const expired = new AbortController()
    const expiry = setTimeout(() => expired.abort(), leaseSeconds * 1000 - marginMs)
    const signal = AbortSignal.any([stopping.signal, organisations.presence(key), expired.signal])
    const worker = startWorker(context, organisation, {
      vacuum,
      signal,
      othersWait: () => waiting,
      onNoted: () => noted.emit(key),
    })
    const ended = finish(key, organisation, worker, signal)
    working.set(key, { worker, expiry, ended })
  }

  async function finish(key: string, organisation: Organisation, worker: Worker, signal: AbortSignal): Promise<void> {
    const end = await worker.ended.catch((error: unknown): WorkerEnd | 'fault' => {
      if (!signal.aborted) logger.error({ err: error, organisation: key }, 'sync failed')
      return 'fault'
    })
    const pauseSeconds = end === 'fault' ? faultPauseSeconds : pauseAfter(end, organisation)
    const isUnfinished = end !== 'done'
    await releaseLease(db, instance, key, { pauseSeconds, isUnfinished }).catch((error: unknown) => {
      // The lease expires by itself.
      logger.warn({ err: error, organisation: key }, 'lease not released')
    })
    clearTimeout(working.get(key)?.expiry)
    working.delete(key)
    noted.emit(key)
    // A user may have made a request after the worker's last check.
    if (woken.delete(key) || waiting.atAll) void tick().catch(() => {})
  }

  function pauseAfter(end: WorkerEnd, organisation: Organisation): number {
    if (end !== 'failed' || !organisations.current().has(organisationKey(organisation))) return 0
    return Math.max(settings.retrySeconds, context.clientOf(organisation).pausedMs() / 1000)
  }

  let ticking: Promise<void> | undefined
  let isTickRequested = false
  /** Runs one tick at a time; a call during a tick starts another one after it. */
  function tick(): Promise<void> {
    if (ticking) {
      isTickRequested = true
      return ticking
    }
    ticking = (async () => {
      do {
        isTickRequested = false
        if (stopping.signal.aborted) return
        await addNew()
        await renew()
        await wakeRequested()
        await lease()
      } while (isTickRequested)
    })().finally(() => {
      ticking = undefined
    })
    return ticking
  }

  await addNew()
  const ticks = (async () => {
    while (!stopping.signal.aborted) {
      await tick().catch((error: unknown) => {
        if (!stopping.signal.aborted && !(error instanceof DatabaseUnavailableError))
          logger.error({ err: error }, 'sync tick failed')
      })
      await sleep(tickMs * (0.9 + Math.random() / 5), undefined, { signal: stopping.signal }).catch(() => {})
    }
  })()

  async function stop(): Promise<void> {
    stopping.abort()
    await ticks
    const ended = Promise.all([...working.values()].map((each) => each.ended))
    const patience = new AbortController()
    await Promise.race([ended, sleep(stopMs, undefined, { signal: patience.signal }).catch(() => {})])
    patience.abort()
  }
  let stopped: Promise<void> | undefined
  return {
    tick,
    wake: async (organisation) => {
      const key = organisationKey(organisation)
      const worker = working.get(key)?.worker
      if (!worker) return tick()
      woken.add(key)
      return worker.wake()
    },
    noted: async (organisation, signal) =>
      new Promise((resolve) => {
        const key = organisationKey(organisation)
        const end = (): void => {
          noted.off(key, end)
          signal.removeEventListener('abort', end)
          resolve()
        }
        noted.once(key, end)
        signal.addEventListener('abort', end, { once: true })
      }),
    credentialsChanged: async (organisation) => {
      await makeDue(db, organisation, { listsOnly: true })
      await tick()
    },
    working: () => working.size,
    stop: () => (stopped ??= stop()),
  }
}

/** The initial tasks of an organisation: its lists, and a merchant's own details. */
function firstTasksOf(organisation: Organisation) {
  const key = organisationKey(organisation)
  const lists = listsOf(organisation).map((resource) => ({ organisation: key, resource, key: '' }))
  if (organisation.kind === 'partner') return lists
  return [...lists, { organisation: key, resource: 'merchant' as const, key: merchantKey(organisation) }]
}
