import { setTimeout as sleep } from 'node:timers/promises'
import { type Purpose, UpstreamRefusedError, UpstreamUnavailableError } from '../errors.ts'
import { type Organisation, organisationKey } from '../organisation.ts'
import { noteActivity } from '../store/activity.ts'
import { wantReadings } from '../store/due-work.ts'
import {
  type DetailResource,
  type ListResource,
  listReadings,
  type Reading,
  readingOf,
  type Resource,
} from '../store/readings.ts'
import type { SyncSource } from './source.ts'
import type { Sync } from './sync.ts'

/** How fresh what a page shows is. */
export type Freshness = Reading & {
  /** Being read for the first time: there is nothing to show yet. */
  readonly isBeingRead: boolean
  /** Since when it should have been read again and was not; undefined while all is well. */
  readonly staleSince: Date | undefined
}

/** The freshness of an organisation's lists, as far as anybody has asked for them. */
export type Lists = ReadonlyMap<string, Freshness>

/** What pages say to the sync: somebody looks at this. They show what is in the store, and never wait for the API when there is something. */
export type Looking = {
  /** How fresh the lists are; notes that somebody of the organisation is here. */
  readonly lists: (organisation: Organisation) => Promise<Lists>
  /**
   * The freshness of a list. One that has never been read is read now, for which a page waits at most 3 s.
   * @throws UpstreamRefusedError, UpstreamUnavailableError when it has never been read and cannot be
   */
  readonly list: (organisation: Organisation, resource: ListResource, lists: Lists) => Promise<Freshness>
  /**
   * The same for one record. One that was read more than a minute ago is read again behind the page.
   * @param known what is there without it. `something`: the page does not fail with the API; a list's freshness, which
   *   tells all there is of a record: it does not wait either
   */
  readonly one: (
    organisation: Organisation,
    resource: DetailResource,
    key: string,
    known?: 'something' | Freshness,
  ) => Promise<Freshness>
  /** What a page shows of these has never been read: they go before the others. */
  readonly unread: (organisation: Organisation, resource: DetailResource, keys: readonly string[]) => void
  /** Resolves when all that was asked for behind pages until now is written down, or has failed to be. */
  readonly asked: () => Promise<void>
}

/** A page waits this long for what has never been read. */
const patienceMs = 3000
const lookAgainMs = 30
/** What somebody looks at is asked for so often at most; of so many things at once it is remembered. */
const [askAgainMs, mostAsked] = [5000, 10_000]
/** Who is here is written down this often. */
const activityMs = 20_000

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

const unread = (resource: Resource, key: string): Reading => ({
  resource,
  key,
  checkedAt: null,
  failingSince: null,
  failure: null,
  doubtedAt: null,
  doubtedSeconds: null,
  wanted: false,
  available: true,
  skipped: 0,
  total: null,
  done: null,
  facets: null,
})

const failureError = ({ resource, failure }: Reading): Error => {
  const purpose = purposes[resource]
  return failure === 'refused'
    ? new UpstreamRefusedError({ purpose })
    : new UpstreamUnavailableError({ purpose })
}

/** @param sync what does the reading */
export const createLooking = (source: SyncSource, sync: Pick<Sync, 'beat' | 'ask'>): Looking => {
  const { database, settings, logger } = source
  const { kysely } = database
  const againMs = Math.min(askAgainMs, settings.refreshSeconds * 1000)
  const askedAt = new Map<string, number>()
  const activity = new Map<string, { readonly notedAt: number; readonly since: Date }>()

  const asking = new Set<Promise<void>>()
  const behind = (work: Promise<void>): void => {
    const noted = work
      .catch((error: unknown) => logger.warn({ err: error }, 'a reading could not be asked for'))
      .finally(() => asking.delete(noted))
    asking.add(noted)
  }

  const want = async (
    organisation: Organisation,
    resource: Resource,
    keys: readonly string[],
    options = { onlyUnread: false },
  ): Promise<void> => {
    await wantReadings(kysely, organisation, resource, keys, options)
    await sync.ask(organisation, resource)
  }

  /** Asks for these behind the page, but not for what was asked for a moment ago: the API may be slow, or down. */
  const wantBehind = (
    organisation: Organisation,
    resource: Resource,
    keys: readonly string[],
    options?: { readonly onlyUnread: boolean },
  ): void => {
    const now = performance.now()
    const nameOf = (key: string) => `${organisationKey(organisation)} ${resource} ${key}`
    const fresh = keys.filter((key) => now - (askedAt.get(nameOf(key)) ?? -Infinity) > againMs)
    if (fresh.length === 0) return
    if (askedAt.size > mostAsked) askedAt.clear()
    for (const key of fresh) askedAt.set(nameOf(key), now)
    behind(want(organisation, resource, fresh, options))
  }

  const noteHere = async (organisation: Organisation): Promise<Date> => {
    const key = organisationKey(organisation)
    const known = activity.get(key)
    if (known && performance.now() - known.notedAt < activityMs) return known.since
    const since = await noteActivity(kysely, organisation, {
      activeForSeconds: settings.activeForSeconds,
      listSeconds: settings.listActiveSeconds,
    })
    activity.set(key, { notedAt: performance.now(), since })
    if (since.getTime() !== known?.since.getTime()) behind(sync.beat())
    return since
  }

  /** Stale: twice its period has passed since it was checked, or since somebody came for whom the period is shorter. */
  const freshnessOf = (reading: Reading, organisation: Organisation, periodSeconds: number): Freshness => {
    const { checkedAt } = reading
    const since = activity.get(organisationKey(organisation))?.since ?? new Date(0)
    const from = Math.max(checkedAt?.getTime() ?? 0, since.getTime())
    const isStale = checkedAt !== null && Date.now() - from > 2 * periodSeconds * 1000
    return {
      ...reading,
      isBeingRead: checkedAt === null,
      staleSince: isStale ? (checkedAt ?? undefined) : undefined,
    }
  }

  /** Has it read now, and waits until that was tried, but no longer than a page has patience. */
  const readNow = async (organisation: Organisation, resource: Resource, key: string): Promise<Reading> => {
    await want(organisation, resource, [key])
    const deadline = performance.now() + patienceMs
    for (;;) {
      const reading = await readingOf(kysely, organisation, resource, key)
      if (reading && !reading.wanted) return reading
      if (performance.now() > deadline) return reading ?? unread(resource, key)
      await sleep(lookAgainMs)
    }
  }

  return {
    lists: async (organisation) => {
      await noteHere(organisation)
      const readings = await listReadings(kysely, organisation)
      return new Map(
        readings.map((reading) => [
          reading.resource,
          freshnessOf(reading, organisation, settings.listActiveSeconds),
        ]),
      )
    },
    list: async (organisation, resource, lists) => {
      const known = lists.get(resource)
      // One that is long is shown while it is written: how many there are is known before.
      if (known && (known.checkedAt || known.total !== null)) return known
      const reading = await readNow(organisation, resource, '')
      if (!reading.checkedAt && reading.failure) throw failureError(reading)
      return freshnessOf(reading, organisation, settings.listActiveSeconds)
    },
    unread: (organisation, resource, keys) => wantBehind(organisation, resource, keys, { onlyUnread: true }),
    asked: async () => {
      await Promise.all(asking)
    },
    one: async (organisation, resource, key, known) => {
      const read = await readingOf(kysely, organisation, resource, key)
      const list = typeof known === 'object' ? known : undefined
      const isListNewer = list && (list.checkedAt?.getTime() ?? 0) > (read?.checkedAt?.getTime() ?? 0)
      const latest = isListNewer ? list : read
      if (latest?.checkedAt) {
        if (Date.now() - latest.checkedAt.getTime() > settings.refreshSeconds * 1000)
          wantBehind(organisation, resource, [key])
        return freshnessOf(latest, organisation, settings.detailSeconds)
      }
      const reading = await readNow(organisation, resource, key)
      if (!reading.checkedAt && reading.failure && known === undefined) throw failureError(reading)
      return freshnessOf(reading, organisation, settings.detailSeconds)
    },
  }
}
