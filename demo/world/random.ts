/** A stream of pseudo-random choices. The same seed gives the same stream on every machine. */
export type Random = {
  /** At least 0, below 1. */
  next(): number
  /** A whole number, at least 0 and below `below`. */
  below(below: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  /** One of the items. Throws on an empty list. */
  pick<T>(items: readonly T[]): T
  /** A string of this many decimal digits that does not begin with 0. */
  digits(length: number): string
  /** A string in the format of a version 4 UUID; not random enough for secrets. */
  uuid(): string
}

/** The item at `index`, modulo the length. Throws on an empty list. */
export function cyclic<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length]
  if (item === undefined) throw new RangeError('nothing to choose from')
  return item
}

/** Mulberry32: small, and random enough for varied demo data. Never for secrets. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  const hex = (length: number): string => Array.from({ length }, () => below(16).toString(16)).join('')
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (items) => cyclic(items, below(items.length)),
    digits: (length) => Array.from({ length }, (_, place) => (place === 0 ? 1 + below(9) : below(10))).join(''),
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'.charAt(below(4))}${hex(3)}-${hex(12)}`,
  }
}
