import type { Logger } from '../logger.ts'

/** Detects that the API is down, and probes it with one call now and then. */
export type CircuitBreaker = {
  /** `closed`: calls are allowed; `half-open`: one is, after `probe()`; `open`: none. */
  state(): 'closed' | 'half-open' | 'open'
  probe(): void
  /** The probe was aborted without a result. */
  giveUpProbe(): void
  answered(): void
  /** @param startedAt by performance.now(); calls that began before the API was found down are ignored */
  failed(startedAt: number): void
  /** Milliseconds until the next probe; 0 when closed. */
  pausedMs(): number
}

const failuresUntilDown = 5
const [firstPauseMs, longestPauseMs] = [1000, 60_000]

/** Creates a breaker. @param opened called when the API is found down, also after a failed probe */
export function createCircuitBreaker(logger: Logger, opened: () => void): CircuitBreaker {
  let failures = 0
  let down: { readonly pauseMs: number; readonly since: number; isProbing: boolean } | undefined

  function untilProbeMs(): number {
    return down ? Math.max(0, down.since + down.pauseMs - performance.now()) : 0
  }

  return {
    state: () => {
      if (!down) return 'closed'
      return down.isProbing || untilProbeMs() > 0 ? 'open' : 'half-open'
    },
    probe: () => {
      if (down) down.isProbing = true
    },
    giveUpProbe: () => {
      if (down) down.isProbing = false
    },
    answered: () => {
      if (down) logger.info('API recovered')
      ;[failures, down] = [0, undefined]
    },
    failed: (startedAt) => {
      if (startedAt < (down?.since ?? -Infinity)) return
      failures += 1
      if (!down && failures < failuresUntilDown) return
      const pauseMs = down ? Math.min(2 * down.pauseMs, longestPauseMs) : firstPauseMs
      if (!down) logger.warn({ failures, waitMs: pauseMs }, 'API down')
      down = { pauseMs, since: performance.now(), isProbing: false }
      opened()
    },
    // A running probe may end at any moment.
    pausedMs: () => (down?.isProbing ? firstPauseMs : untilProbeMs()),
  }
}
