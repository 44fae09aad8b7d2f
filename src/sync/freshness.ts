import { setTimeout as sleep } from 'node:timers/promises'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { type Purpose, UpstreamRefusedError, UpstreamUnavailableError } from '../errors.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from '../store/database.ts'
import { requestRefresh } from '../store/due.ts'
import { noteActivity } from '../store/leases.ts'
import {
  type DetailResource,
  findSyncState,
  type ListResource,
  listSyncStates,
  type Resource,
  type SyncState,
} from '../store/sync-state.ts'
import type { SyncContext } from './context.ts'
import type { Sync } from './sync.ts'

/** How fresh what a page shows is. */
export type Freshness = SyncState & {
  /** Being read for the first time: there is nothing to show yet. */
  readonly isBeingRead: boolean
  /** Since when it should have been read again and was not; undefined while all is well. */
  readonly staleSince: Date | undefined
}

/** The freshness of an organisation's lists, by resource. */
export type Lists = ReadonlyMap<string, Freshness>

/** What a page knows of a record before it asks how fresh it is. */
export type KnownRecord = {
  /** There is something to show: the page does not fail with the API. */
  readonly isShown?: boolean
  /** The freshness of a list that has all there is of the record: the page does not wait either. */
  readonly list?: Freshness | undefined
  /** No list has the key, though the lists were read: this user may ask the API for a few of those a minute. */
  readonly unlistedFor?: string | undefined
}

/** How pages ask for refreshes. They show what the store has, and never wait for the API when there is something. */
export type FreshnessService = {
  /** How fresh the lists are; notes that a user of the organisation is active. */
  readonly lists: (organisation: Organisation) => Promise<Lists>
  /**
   * The freshness of a list. One that was never read is read now, for which a page waits at most 3 s.
   * @throws UpstreamRefusedError, UpstreamUnavailableError when it was never read and cannot be
   */
  readonly list: (organisation: Organisation, resource: ListResource, lists: Lists) => Promise<Freshness>
  /** The same for one record. One that was read more than a minute ago is refreshed behind the page. */
  readonly record: (
    organisation: Organisation,
    resource: DetailResource,
    key: string,
    known?: KnownRecord,
  ) => Promise<Freshness>
  /** Requests what a page shows and what was never read: it goes before the rest. */
  readonly requestUnread: (organisation: Organisation, resource: DetailResource, keys: readonly string[]) => void
  /** Resolves when all requests made behind pages until now are written, or have failed to be. */
  readonly requested: () => Promise<void>
}

/** A page waits this long for what was never read. */
const waitMs = 3000
/** It looks so often whether another instance has read it; what this instance reads, it is told. */
const lookAgainMs = 250
/** A record is requested so often at most; of so many records that is remembered. */
const [requestAgainMs, mostRemembered] = [5000, 10_000]
/** An organisation's activity is written this often. */
const activityMs = 20_000
/** Keys that no list has: so many a user may have asked for in a minute. */
const unlistedLimit = { points: 20, duration: 60 }

const purposes: Readonly<Record<Resource, Purpose>> = {
  salesUnits: 'salesUnits',
  productOrders: 'productOrders',
  pricePackages: 'pricePackages',
  templates: 'productOrderTemplates',
  webhooks: 'webhooks',
  salesUnit: 'salesUnit',
  merchant: 'merchant',
  productOrder: 'productOrder',
  salesUnitWebhooks: 'webhooks',
}

/** @param db the pages' handle; the sync has its own */
export function createFreshness(
  { settings, logger }: Pick<SyncContext, 'settings' | 'logger'>,
  db: Handle,
  sync: Pick<Sync, 'tick' | 'wake' | 'noted'>,
): FreshnessService {
  const againMs = Math.min(requestAgainMs, settings.refreshSeconds * 1000)
  const requestedAt = new Map<string, number>()
  const activity = new Map<string, { readonly notedAt: number; readonly since: Date }>()
  const unlisted = new RateLimiterMemory(unlistedLimit)
  const pending = new Set<Promise<void>>()

  function behind(work: Promise<void>): void {
    const done = work
      .catch((error: unknown) => logger.warn({ err: error }, 'refresh not requested'))
      .finally(() => pending.delete(done))
    pending.add(done)
  }

  async function request(
    organisation: Organisation,
    resource: Resource,
    keys: readonly string[],
    options?: Parameters<typeof requestRefresh>[4],
  ): Promise<void> {
    await requestRefresh(db, organisation, resource, keys, options)
    await sync.wake(organisation)
  }

  /** Requests these behind the page, but not what was requested a moment ago: the API may be slow, or down. */
  function requestBehind(
    organisation: Organisation,
    resource: Resource,
    keys: readonly string[],
    options?: Parameters<typeof requestRefresh>[4],
  ): void {
    const now = performance.now()
    const nameOf = (key: string): string => `${organisationKey(organisation)} ${resource} ${key}`
    const fresh = keys.filter((key) => now - (requestedAt.get(nameOf(key)) ?? -Infinity) > againMs)
    if (fresh.length === 0) return
    if (requestedAt.size > mostRemembered) requestedAt.clear()
    for (const key of fresh) requestedAt.set(nameOf(key), now)
    behind(request(organisation, resource, fresh, options))
  }

  async function noteActive(organisation: Organisation): Promise<void> {
    const key = organisationKey(organisation)
    const known = activity.get(key)
    if (known && performance.now() - known.notedAt < activityMs) return
    const since = await noteActivity(db, organisation, {
      activeForSeconds: settings.activeForSeconds,
      listSeconds: settings.listActiveSeconds,
    })
    activity.set(key, { notedAt: performance.now(), since })
    if (since.getTime() !== known?.since.getTime()) behind(sync.tick())
  }

  /** Stale: twice its period has passed since it was checked, or since the organisation became active. */
  function freshnessOf(state: SyncState, organisation: Organisation, periodSeconds: number): Freshness {
    const { checkedAt } = state
    const since = activity.get(organisationKey(organisation))?.since ?? new Date(0)
    const from = Math.max(checkedAt?.getTime() ?? 0, since.getTime())
    const isStale = checkedAt !== null && Date.now() - from > 2 * periodSeconds * 1000
    return {
      ...state,
      isBeingRead: checkedAt === null,
      staleSince: isStale ? (checkedAt ?? undefined) : undefined,
    }
  }

  /** Has it read now, and waits until that was tried, but no longer than a page waits. */
  async function readNow(
    organisation: Organisation,
    resource: Resource,
    key: string,
    options?: Parameters<typeof requestRefresh>[4],
  ): Promise<SyncState> {
    const deadline = performance.now() + waitMs
    await request(organisation, resource, [key], options)
    for (;;) {
      const looked = new AbortController()
      const noted = sync.noted(organisation, looked.signal)
      try {
        const state = await findSyncState(db, organisation, resource, key)
        if (state && !state.requested) return state
        if (performance.now() > deadline) return state ?? unreadState(resource, key)
        const pause = sleep(lookAgainMs, undefined, { signal: looked.signal }).catch(() => {})
        await Promise.race([noted, pause])
      } finally {
        looked.abort()
      }
    }
  }

  async function mayAsk(user: string): Promise<boolean> {
    try {
      await unlisted.consume(user)
      return true
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return false
      throw refused
    }
  }

  return {
    lists: async (organisation) => {
      await noteActive(organisation)
      const states = await listSyncStates(db, organisation)
      const period = settings.listActiveSeconds
      return new Map(states.map((state) => [state.resource, freshnessOf(state, organisation, period)]))
    },
    list: async (organisation, resource, lists) => {
      const known = lists.get(resource)
      // One that is long is shown while it is written: how many rows there are is known before.
      if (known && (known.checkedAt || known.total !== null)) return known
      const state = await readNow(organisation, resource, '')
      if (!state.checkedAt && state.failure) throw failureError(state)
      return freshnessOf(state, organisation, settings.listActiveSeconds)
    },
    record: async (organisation, resource, key, known = {}) => {
      const { isShown = false, list, unlistedFor } = known
      const period = settings.detailSeconds
      const state = await findSyncState(db, organisation, resource, key)
      const isListNewer = list && (list.checkedAt?.getTime() ?? 0) > (state?.checkedAt?.getTime() ?? 0)
      const latest = isListNewer ? list : state
      const isOld = latest?.checkedAt && Date.now() - latest.checkedAt.getTime() > settings.refreshSeconds * 1000
      if (latest?.checkedAt && !isOld) return freshnessOf(latest, organisation, period)
      if (unlistedFor !== undefined && !(await mayAsk(unlistedFor)))
        return {
          ...freshnessOf(latest ?? unreadState(resource, key), organisation, period),
          isBeingRead: false,
        }
      const options = { unlisted: unlistedFor !== undefined }
      if (latest?.checkedAt) {
        requestBehind(organisation, resource, [key], options)
        return freshnessOf(latest, organisation, period)
      }
      const read = await readNow(organisation, resource, key, options)
      if (!read.checkedAt && read.failure && !isShown && !list) throw failureError(read)
      return freshnessOf(read, organisation, period)
    },
    requestUnread: (organisation, resource, keys) => requestBehind(organisation, resource, keys, { onlyUnread: true }),
    requested: async () => {
      await Promise.all(pending)
    },
  }
}

function unreadState(resource: Resource, key: string): SyncState {
  return {
    resource,
    key,
    checkedAt: null,
    failingSince: null,
    failure: null,
    suspectSince: null,
    suspectSeconds: null,
    requested: false,
    available: true,
    skipped: 0,
    total: null,
    done: null,
    facets: null,
  }
}

function failureError({ resource, failure }: SyncState): Error {
  const purpose = purposes[resource]
  return failure === 'refused' ? new UpstreamRefusedError({ purpose }) : new UpstreamUnavailableError({ purpose })
}
