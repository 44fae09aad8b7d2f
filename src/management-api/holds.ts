import type { Purpose } from '../errors.ts'

/** The longest that a call waits because the API asked for it; beyond that it fails. */
export const longestWaitMs = 30_000
/** After so long the API is asked again, whatever it said. */
const longestHoldMs = 60_000

/**
 * What the API asked not to be asked for a while (429 with Retry-After). One purpose at a time: when one resource
 * is held, the rest of the portal goes on.
 */
export type Holds = {
  hold(purpose: Purpose, milliseconds: number): void
  /** Milliseconds that are left, 0 when nothing is held. */
  left(purpose: Purpose): number
}

export const createHolds = (): Holds => {
  const until = new Map<Purpose, number>()
  const left = (purpose: Purpose) => Math.max(0, (until.get(purpose) ?? 0) - performance.now())
  return {
    hold: (purpose, milliseconds) => {
      const longest = Math.max(left(purpose), Math.min(milliseconds, longestHoldMs))
      until.set(purpose, performance.now() + longest)
    },
    left,
  }
}
