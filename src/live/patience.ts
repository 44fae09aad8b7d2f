import { setTimeout } from 'node:timers/promises'

/** A page waits this long for what it can do without. */
const patienceMs = 2500

/** Waits for `work`, but not longer than a page has patience. Never rejects: what failed is simply not there. */
export const withPatience = async (work: Promise<unknown>): Promise<void> => {
  const over = new AbortController()
  const timer = setTimeout(patienceMs, undefined, { signal: over.signal, ref: false }).catch(() => {})
  await Promise.race([work.catch(() => {}), timer])
  over.abort()
}
