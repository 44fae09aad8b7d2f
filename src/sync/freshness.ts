import { setTimeout as sleep } from 'node:timers/promises'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { type Purpose, UpstreamBusyError, UpstreamRefusedError, UpstreamUnavailableError } from '../errors.ts'
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

/** How fresh the data of a page is. */
export type Freshness = SyncState & {
  /** Never read yet: there is nothing to show. */
  readonly isBeingRead: boolean
  /** Since when the data is overdue; undefined while it is fresh. */
  readonly staleSince: Date | undefined
}

/** The freshness of an organisation's lists, by resource. */
export type Lists = ReadonlyMap<string, Freshness>

/** What a page already knows of a record. */
export type KnownRecord = {
  /** There is data to show, so the page does not fail with the API. */
  readonly isShown?: boolean
  /** The freshness of a list with all data of the record: the page does not wait for details. */
  readonly list?: Freshness | undefined
  /** The id of the user, for a key that no list has: a user may request a few of those a minute. */
  readonly unlistedFor?: string | undefined
}

/**
 * The service that pages use to request refreshes. Pages show stored data, and never wait for the API when there is
 * any.
 */
export type FreshnessService = {
  /** The freshness of the lists; records that a user of the organisation is active. */
  readonly lists: (organisation: Organisation) => Promise<Lists>
  /**
   * The freshness of a list. A list that was never read is read now; the page waits at most 3 s for it.
   * @throws UpstreamRefusedError, UpstreamUnavailableError when it was never read and the read fails
   */
  readonly list: (organisation: Organisation, resource: ListResource, lists: Lists) => Promise<Freshness>
  /** The freshness of one record. A record that is older than a minute is refreshed in the background. */
  readonly record: (
    organisation: Organisation,
    resource: DetailResource,
    key: string,
    known?: KnownRecord,
  ) => Promise<Freshness>
  /**
   * Asks the API about one key now, for a user who waits for the answer, unless it has answered a moment ago. Waits at
   * most 3 s; a failure of the API is in the state.
   * @param since an older answer does not count
   * @param isAllowed called before a call
   * @returns the state afterwards; undefined when the call is not allowed
   */
  readonly ask: (
    organisation: Organisation,
    resource: DetailResource,
    key: string,
    since: Date | undefined,
    isAllowed: () => Promise<boolean>,
  ) => Promise<SyncState | undefined>
  /** Requests records that a page shows and that were never read; they come first. */
  readonly requestUnread: (organisation: Organisation, resource: DetailResource, keys: readonly string[]) => void
  /** Resolves when all background requests until now are written, or have failed. */
  readonly requested: () => Promise<void>
}

/** How long a page waits for data that was never read. */
const waitMs = 3000
/** The interval of checks for reads by another instance; this instance's own are signalled. */
const pollMs = 250
/** The minimum interval between requests of one record, and the number of remembered requests. */
const [requestAgainMs, mostRemembered] = [5000, 10_000]
/** The minimum interval between writes of an organisation's activity. */
const activityMs = 20_000
/** Requests of unlisted keys per user and minute. */
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

/** Creates the service. @param db the handle for requests; the sync has its own */
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

  function inBackground(work: Promise<void>): void {
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

  /** Requests these in the background, except those requested a moment ago: the API may be slow or down. */
  function requestInBackground(
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
    inBackground(request(organisation, resource, fresh, options))
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
    if (since.getTime() !== known?.since.getTime()) inBackground(sync.tick())
  }

  /** Stale: twice its interval has passed since its last check, or since the organisation became active. */
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

  /** Requests a read, and waits until it has been tried, but at most `waitMs`. */
  async function readNow(
    organisation: Organisation,
    resource: Resource,
    key: string,
    options?: Parameters<typeof requestRefresh>[4],
  ): Promise<SyncState> {
    const deadline = performance.now() + waitMs
    await request(organisation, resource, [key], options)
    for (;;) {
      const poll = new AbortController()
      const noted = sync.noted(organisation, poll.signal)
      try {
        const state = await findSyncState(db, organisation, resource, key)
        if (state && !state.requested) return state
        if (performance.now() > deadline) return state ?? unreadState(resource, key)
        const pause = sleep(pollMs, undefined, { signal: poll.signal }).catch(() => {})
        await Promise.race([noted, pause])
      } finally {
        poll.abort()
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
      // A long first list is shown while it is written: its total is known before.
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
        requestInBackground(organisation, resource, [key], options)
        return freshnessOf(latest, organisation, period)
      }
      const read = await readNow(organisation, resource, key, options)
      if (!read.checkedAt && read.failure && !isShown && !list) throw failureError(read)
      return freshnessOf(read, organisation, period)
    },
    ask: async (organisation, resource, key, since, isAllowed) => {
      const state = await findSyncState(db, organisation, resource, key)
      const latest = Math.max(since?.getTime() ?? 0, Date.now() - settings.refreshSeconds * 1000)
      if (state?.checkedAt && !state.failure && state.checkedAt.getTime() > latest) return state
      if (!(await isAllowed())) return undefined
      return readNow(organisation, resource, key, { unlisted: true })
    },
    requestUnread: (organisation, resource, keys) =>
      requestInBackground(organisation, resource, keys, { onlyUnread: true }),
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
    absent: false,
    skipped: 0,
    total: null,
    done: null,
    facets: null,
  }
}

function failureError({ resource, failure }: SyncState): Error {
  const purpose = purposes[resource]
  if (failure === 'limited') return new UpstreamBusyError({ purpose })
  return failure === 'refused' ? new UpstreamRefusedError({ purpose }) : new UpstreamUnavailableError({ purpose })
}
