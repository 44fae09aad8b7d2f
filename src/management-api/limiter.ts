import { AsyncLocalStorage } from 'node:async_hooks'
import PQueue from 'p-queue'

/** Whose turn comes first. A token goes before all, since everything waits for it; what waited for it is next. */
export const priorities = { token: 3, retried: 2, interactive: 1, background: 0 } as const

/** A request that started a little earlier may arrive a little later: the window gives that much room. */
const slackMs = 100

export type Limiter = {
  /** Runs `task` when its turn comes; rejects with the signal's reason when that aborts first. */
  run<T>(task: () => Promise<T>, turn: { priority: number; signal?: AbortSignal | undefined }): Promise<T>
}

/**
 * At most `maxConcurrency` tasks at a time and `maxPerSecond` starts in any one second: the queue's strict mode
 * slides its window, where the default one lets twice as many through around the boundary of two windows.
 */
export const createLimiter = (limits: { maxConcurrency: number; maxPerSecond: number }): Limiter => {
  const queue = new PQueue({
    concurrency: limits.maxConcurrency,
    intervalCap: limits.maxPerSecond,
    interval: 1000 + slackMs,
    strict: true,
  })
  return {
    // A task starts when another ends, which may be another request's: bound, it logs under its own.
    run: (task, { priority, signal }) =>
      queue.add(AsyncLocalStorage.bind(task), { priority, ...(signal && { signal }) }),
  }
}
