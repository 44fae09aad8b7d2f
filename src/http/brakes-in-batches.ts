/** When to come again, and whether this is the first refusal of that period, which is worth a line in the audit log. */
export type Refused = { readonly waitMs: number; readonly first: boolean }

/** Counts so many requests of a subject; undefined where that is not too many. */
export type Consume = (subject: string, points?: number) => Promise<Refused | undefined>

const batch = 20
const periodMs = 60_000

/**
 * Tells the database of every twentieth request only, so that pages do not wait for it: a subject may so have up to 19
 * requests more, an instance. What a quiet subject has not filled up is forgotten after a minute. A refusal is
 * remembered until it ends.
 */
export const batched = (consume: Consume): Consume => {
  const refusedUntil = new Map<string, number>()
  let waiting = new Map<string, number>()
  let began = Date.now()
  return async (subject) => {
    const now = Date.now()
    if (now - began > periodMs) {
      began = now
      waiting = new Map()
      for (const [other, until] of refusedUntil) if (until <= now) refusedUntil.delete(other)
    }
    const until = refusedUntil.get(subject)
    if (until !== undefined && until > now) return { waitMs: until - now, first: false }
    const count = (waiting.get(subject) ?? 0) + 1
    waiting.set(subject, count % batch)
    if (count < batch) return undefined
    const refused = await consume(subject, batch)
    if (!refused) return undefined
    const first = !refusedUntil.has(subject)
    refusedUntil.set(subject, now + refused.waitMs)
    return { ...refused, first }
  }
}
