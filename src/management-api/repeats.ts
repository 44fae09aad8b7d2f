/** How often a continuing event is logged, and after how long without one it has ended. */
const [againMs, endedMs] = [300_000, 60_000]
/** The most different events that are remembered. */
const mostKinds = 200

/** Keeps equal events of one organisation from flooding the log, as in the API's weekly maintenance. */
export type Repeats = {
  /**
   * Notes an event: `undefined` when it is not to be logged now, else how often it has come since it was last logged.
   * It is logged when it begins, and then at most every five minutes.
   */
  readonly note: (kind: string) => number | undefined
  /** The events that have not come for a minute, with their number, once; those that came once are left out. */
  readonly ended: () => readonly { readonly kind: string; readonly count: number; readonly seconds: number }[]
}

type Event = { count: number; unlogged: number; readonly since: number; last: number; loggedAt: number }

/** @param now in ms; injected by tests */
export function createRepeats(now: () => number = () => performance.now()): Repeats {
  const events = new Map<string, Event>()
  return {
    note: (kind) => {
      const at = now()
      const known = events.get(kind)
      if (!known) {
        if (events.size < mostKinds) events.set(kind, { count: 1, unlogged: 0, since: at, last: at, loggedAt: at })
        return 1
      }
      known.count += 1
      known.unlogged += 1
      known.last = at
      if (at - known.loggedAt < againMs) return undefined
      const { unlogged } = known
      known.unlogged = 0
      known.loggedAt = at
      return unlogged
    },
    ended: () => {
      const over = [...events].filter(([, { last }]) => now() - last > endedMs)
      for (const [kind] of over) events.delete(kind)
      return over
        .filter(([, { count }]) => count > 1)
        .map(([kind, { count, since, last }]) => ({ kind, count, seconds: Math.round((last - since) / 1000) }))
    },
  }
}
