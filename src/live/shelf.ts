import { UpstreamError } from '../errors.ts'
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
  /** What is there, however old. */
  readonly peek: (organisation: Organisation, key: string) => Reading<Value> | undefined
  /**
   * What is there if it is younger than the shelf's age, else a new reading; many waiting for the same one cause
   * one call. Throws what the call throws; a failure is not kept.
   */
  readonly read: (organisation: Organisation, key: string, priority?: Priority) => Promise<Reading<Value>>
  /**
   * Reads ahead, in the background and a few at a time, what is missing or too old. Resolves when it is done or
   * given up; an organisation has at most one such round at a time. Never rejects.
   */
  readonly fill: (organisation: Organisation, keys: readonly string[]) => Promise<void>
}

/** How many calls one round of reading ahead has in flight. */
const fillConcurrency = 5
/** A round gives up after this many failures, and the next waits a minute: the API has a bad day. */
const fillFailures = 3
const fillPauseMs = 60_000

/**
 * @param options.maxAgeMs how old a value may get before it is read again
 * @param options.signal ends reading ahead when the portal stops
 */
export const createShelf = <Value>(
  load: Load<Value>,
  options: { readonly maxAgeMs: number; readonly logger: Logger; readonly signal: AbortSignal },
): Shelf<Value> => {
  const entries = new Map<string, Map<string, Entry<Value>>>()
  const loading = new Map<string, Promise<Entry<Value>>>()
  const filling = new Map<string, Promise<void>>()
  const pausedUntil = new Map<string, number>()

  const shelfOf = (organisation: Organisation) => {
    const name = organisationKey(organisation)
    const shelf = entries.get(name) ?? new Map<string, Entry<Value>>()
    entries.set(name, shelf)
    return shelf
  }
  const fresh = (organisation: Organisation, key: string) => {
    const entry = shelfOf(organisation).get(key)
    return entry && Date.now() - entry.readAt < options.maxAgeMs ? entry : undefined
  }

  const readNow = async (
    organisation: Organisation,
    key: string,
    priority: Priority,
  ): Promise<Entry<Value>> => {
    // Whoever waits joins a reading under way, background or not: only a few of those are ever queued.
    const name = `${organisationKey(organisation)} ${key}`
    const underWay =
      loading.get(name) ??
      load(organisation, key, priority)
        .then((value) => {
          const entry = { value, readAt: Date.now() }
          shelfOf(organisation).set(key, entry)
          return entry
        })
        .finally(() => loading.delete(name))
    loading.set(name, underWay)
    return underWay
  }

  const fillRound = async (organisation: Organisation, keys: readonly string[]): Promise<void> => {
    const todo = keys.values()
    let failures = 0
    const worker = async (): Promise<void> => {
      for (const key of todo) {
        if (options.signal.aborted || failures >= fillFailures) return
        if (fresh(organisation, key)) continue
        try {
          await readNow(organisation, key, 'background')
        } catch (error) {
          failures += 1
          // What is not the API's doing is a fault of ours, and must be seen.
          if (!(error instanceof UpstreamError)) options.logger.error({ err: error }, 'reading ahead failed')
        }
      }
    }
    await Promise.all(Array.from({ length: fillConcurrency }, worker))
    if (failures >= fillFailures && !options.signal.aborted) {
      const name = organisationKey(organisation)
      pausedUntil.set(name, Date.now() + fillPauseMs)
      options.logger.warn({ organisation: name, failures }, 'reading ahead paused')
    }
  }

  return {
    peek: (organisation, key) => shelfOf(organisation).get(key),
    read: async (organisation, key, priority = 'interactive') =>
      fresh(organisation, key) ?? readNow(organisation, key, priority),
    fill: async (organisation, keys) => {
      const name = organisationKey(organisation)
      if ((pausedUntil.get(name) ?? 0) > Date.now() || keys.every((key) => fresh(organisation, key))) return
      const round = filling.get(name) ?? fillRound(organisation, keys).finally(() => filling.delete(name))
      filling.set(name, round)
      await round
    },
  }
}
