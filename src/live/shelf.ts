import { type Purpose, UpstreamError, UpstreamUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type Organisation, organisationKey } from '../organisation.ts'

/** A page that somebody waits for goes before what is read ahead. */
export type Priority = 'interactive' | 'background'

type Load<Value> = (organisation: Organisation, key: string, priority: Priority) => Promise<Value>
type Entry<Value> = { readonly value: Value; readonly readAt: number }

/** Something read from the API, and when (ms since the epoch). */
export type Reading<Value> = Entry<Value>

/** Values read from the API, kept in memory an organisation and key. */
export type Shelf<Value> = {
  /** What is there, up to two hours old. */
  readonly peek: (organisation: Organisation, key: string) => Reading<Value> | undefined
  /**
   * What is there if it is younger than `maxAgeMs` (the shelf's own unless told), else a new reading; many waiting
   * for the same one cause one call. A failure is not kept.
   * @throws what the call throws; UpstreamUnavailableError when a page would wait longer than 15 s
   */
  readonly read: (
    organisation: Organisation,
    key: string,
    options?: { readonly priority?: Priority; readonly maxAgeMs?: number },
  ) => Promise<Reading<Value>>
  /**
   * Reads ahead, in the background and a few at a time, what is missing or too old. Resolves when it is done or
   * given up; an organisation has at most one such round at a time. Never rejects.
   */
  readonly readAhead: (organisation: Organisation, keys: readonly string[]) => Promise<void>
}

/** How many calls one round of reading ahead has in flight. */
const roundConcurrency = 5
/** A round gives up after this many failures in a row, and the next waits a minute: the API has a bad day. */
const roundFailures = 5
const minuteMs = 60_000
/** What failed when it was read ahead is left alone for this long, so that it cannot hold up the others. */
const failedAgeMs = 10 * minuteMs
/** Nothing is kept longer than this after it was read; what is still wanted is read again. */
const keepMs = 120 * minuteMs
/** That there is nothing may change at any time, and is forgotten sooner than what there is. */
const nothingAgeMs = minuteMs
/** A page does not wait longer, whatever the API makes of its retries; the reading goes on for the next one. */
const pageDeadlineMs = 15_000

/** Whoever waits wants to know what is missing, not that it was a token that could not be had. */
const naming = (error: unknown, purpose: Purpose): unknown =>
  error instanceof UpstreamUnavailableError && error.failure.purpose === 'token'
    ? new UpstreamUnavailableError({ ...error.failure, purpose }, { cause: error })
    : error

/** The promise, or UpstreamUnavailableError when a page has waited long enough. */
const withDeadline = async <Value>(reading: Promise<Value>, purpose: Purpose): Promise<Value> => {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new UpstreamUnavailableError({ purpose })), pageDeadlineMs)
  try {
    return await Promise.race([reading, late.promise])
  } finally {
    clearTimeout(timer)
    // Whoever reads it next sees how it ended.
    reading.catch(() => {})
  }
}

/**
 * @param options.purpose what is read, for the error of a page that waited in vain
 * @param options.maxAgeMs how old a value may get before it is read again; undefined, which says that there is
 * nothing, gets a minute at most
 * @param options.signal ends reading ahead when the portal stops
 */
export const createShelf = <Value>(
  load: Load<Value>,
  options: {
    readonly purpose: Purpose
    readonly maxAgeMs: number
    readonly logger: Logger
    readonly signal: AbortSignal
  },
): Shelf<Value> => {
  const shelves = new Map<string, Map<string, Entry<Value>>>()
  const sweptAt = new Map<string, number>()
  const loading = new Map<string, Promise<Entry<Value>>>()
  const rounds = new Map<string, Promise<void>>()
  const pausedUntil = new Map<string, number>()
  const failedAt = new Map<string, number>()

  const nameOf = (organisation: Organisation, key: string): string =>
    `${organisationKey(organisation)} ${key}`
  const shelfOf = (organisation: Organisation) => {
    const name = organisationKey(organisation)
    const shelf = shelves.get(name) ?? new Map<string, Entry<Value>>()
    shelves.set(name, shelf)
    return shelf
  }
  const fresh = (organisation: Organisation, key: string, maxAgeMs = options.maxAgeMs) => {
    const entry = shelfOf(organisation).get(key)
    const limit = entry?.value === undefined ? Math.min(maxAgeMs, nothingAgeMs) : maxAgeMs
    return entry && Date.now() - entry.readAt < limit ? entry : undefined
  }
  /** Once a minute at most: anybody may ask for any key. */
  const sweep = (organisation: Organisation): void => {
    const name = organisationKey(organisation)
    const now = Date.now()
    if (now - (sweptAt.get(name) ?? 0) < minuteMs) return
    sweptAt.set(name, now)
    const shelf = shelfOf(organisation)
    for (const [key, { readAt }] of shelf) if (now - readAt > keepMs) shelf.delete(key)
    for (const [key, at] of failedAt) if (now - at > keepMs) failedAt.delete(key)
  }

  const readNow = async (
    organisation: Organisation,
    key: string,
    priority: Priority,
  ): Promise<Entry<Value>> => {
    // Whoever waits joins a reading under way, background or not: only a few of those are ever queued.
    const name = nameOf(organisation, key)
    const underWay =
      loading.get(name) ??
      load(organisation, key, priority)
        .then((value) => {
          const entry = { value, readAt: Date.now() }
          shelfOf(organisation).set(key, entry)
          failedAt.delete(name)
          return entry
        })
        .catch((error: unknown) => {
          throw naming(error, options.purpose)
        })
        .finally(() => loading.delete(name))
    loading.set(name, underWay)
    sweep(organisation)
    return underWay
  }

  const runRound = async (organisation: Organisation, keys: readonly string[]): Promise<void> => {
    const todo = keys.values()
    let failures = 0
    const worker = async (): Promise<void> => {
      for (const key of todo) {
        if (options.signal.aborted || failures >= roundFailures) return
        if (fresh(organisation, key)) continue
        try {
          await readNow(organisation, key, 'background')
          failures = 0
        } catch (error) {
          failures += 1
          failedAt.set(nameOf(organisation, key), Date.now())
          // What is not the API's doing is a fault of ours, and must be seen.
          if (!(error instanceof UpstreamError)) options.logger.error({ err: error }, 'reading ahead failed')
        }
      }
    }
    await Promise.all(Array.from({ length: roundConcurrency }, worker))
    if (failures >= roundFailures && !options.signal.aborted) {
      const name = organisationKey(organisation)
      pausedUntil.set(name, Date.now() + minuteMs)
      options.logger.warn({ organisation: name, failures }, 'reading ahead paused')
    }
  }

  return {
    peek: (organisation, key) => shelfOf(organisation).get(key),
    read: async (organisation, key, { priority = 'interactive', maxAgeMs } = {}) => {
      const kept = fresh(organisation, key, maxAgeMs)
      if (kept) return kept
      const reading = readNow(organisation, key, priority)
      return priority === 'interactive' ? withDeadline(reading, options.purpose) : reading
    },
    readAhead: async (organisation, keys) => {
      const name = organisationKey(organisation)
      if ((pausedUntil.get(name) ?? 0) > Date.now()) return
      const failedLately = (key: string) =>
        Date.now() - (failedAt.get(nameOf(organisation, key)) ?? 0) < failedAgeMs
      const wanted = keys.filter((key) => !fresh(organisation, key))
      const todo = wanted.filter((key) => !failedLately(key))
      if (todo.length === 0) return
      const round = rounds.get(name) ?? runRound(organisation, todo).finally(() => rounds.delete(name))
      rounds.set(name, round)
      await round
    },
  }
}
