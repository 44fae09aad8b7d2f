import { createRandom, type Random } from '../demo/world/random.ts'
import type { DemoWorld } from '../demo/world/types.ts'
import { everySalesUnit, findSalesUnits } from '../src/store/sales-units.ts'
import type { LargeFixture } from './large-fixture.ts'
import { atMost, median, quantile } from './report.ts'
import { openFixtureDatabase } from './seed.ts'
import { largeId, salesUnitsOf } from './world.ts'

/** A search text, and the page of matches to open. */
type Query = { readonly q: string; readonly page: number }

/** Measures the query of the list of sales units, from search text to rows, for the large partner. */
export async function measureFilter({ world, env }: LargeFixture): Promise<void> {
  const database = openFixtureDatabase(env.DATABASE_URL)
  const partner = { kind: 'partner', id: largeId, name: '' } as const
  const total = salesUnitsOf(world, largeId).length
  async function time({ q, page }: Query): Promise<number> {
    const began = performance.now()
    const sort = { column: 'name', descending: false } as const
    await findSalesUnits(database.kysely, partner, { ...everySalesUnit, q }, { sort, page, size: 25, total })
    return performance.now() - began
  }
  const queries = createQueries(world)
  for (const query of queries.slice(0, 100)) await time(query)
  const times = queries.map((): number[] => [])
  for (let round = 0; round < 3; round += 1)
    for (const [index, query] of queries.entries()) times[index]?.push(await time(query))
  await database.close()
  const medians = times.map((some) => median(some))
  const most = Math.max(...medians)
  const slowest = `most ${most.toFixed(1)} ms: "${queries[medians.indexOf(most)]?.q}"`
  atMost(`filter, ${queries.length} q of 3 to 20 characters: p50`, median(medians), 15, ' ms')
  atMost('filter, q of 3 to 20 characters: p99', quantile(medians, 0.99), 60, ' ms', slowest)
}

/**
 * Parts of the searched texts: some in capitals, with ø, or in the letters that it counts as; two words, some of them
 * swapped; some without a match, some later pages.
 */
export function createQueries(world: DemoWorld): Query[] {
  const random = createRandom(99)
  const merchants = world.merchants.flatMap(({ body }) => [body.name, body.businessIdentifier.id])
  const units = salesUnitsOf(world, largeId).flatMap(({ body }) => [body.name, body.msn])
  const texts = [...units, ...merchants]
  const nordic = texts.filter((text) => /[æøåäö]/i.test(text))
  return Array.from({ length: 360 }, (_, index) => {
    const length = 3 + Math.floor(index / 20)
    const page = index % 5 === 4 ? 2 + random.below(11) : 1
    if (index % 10 === 9) return { q: 'qxzwvj7qxzwvj7qxzwvj7'.slice(0, length), page: 1 }
    if (index % 10 === 5 || index % 10 === 6) return { q: twoWordsOf(texts, random), page }
    const q = partOf(index % 5 === 3 ? nordic : texts, length, random)
    return { q: index % 10 === 7 ? q.toUpperCase() : index % 10 === 3 ? spelt(q) : q, page }
  })
}

/** Two words of a text, or parts of them, in either order. */
function twoWordsOf(texts: readonly string[], random: Random): string {
  for (;;) {
    const words = random.pick(texts).split(' ')
    const [first = '', second = ''] = words.filter((word) => word.length >= 3).map((word) => word.slice(0, 5))
    if (second !== '') return random.below(2) === 0 ? `${first} ${second}` : `${second} ${first}`
  }
}

/** As on a keyboard without these letters. */
function spelt(text: string): string {
  return text.replaceAll(/[æøåäö]/gi, (letter) => ({ æ: 'ae', ø: 'oe', å: 'aa', ä: 'a' })[letter.toLowerCase()] ?? 'o')
}

/** A part without space at its ends. */
function partOf(texts: readonly string[], length: number, random: Random): string {
  for (;;) {
    const text = random.pick(texts)
    const start = random.below(Math.max(1, text.length - length + 1))
    const part = text.slice(start, start + length)
    if (part.trim().length === length) return part
  }
}
