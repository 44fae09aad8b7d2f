import { explainSearch } from './explain.ts'
import { createQueries, findTyped, type Query } from './queries.ts'
import type { Reporter } from './results.ts'
import { openPlace } from './seed.ts'
import type { Stage } from './stage.ts'
import { median, quantile } from './statistics.ts'
import { largeId, partnerOf } from './world.ts'

const rounds = 3
const warmUp = 100
const mostCounted = 1000

type Timed = Query & { readonly ms: number }

/** How long it takes to find sales units among all of the large partner's, by what somebody might type. */
export const measureFilter = async ({ place, world }: Stage, report: Reporter): Promise<void> => {
  const database = openPlace(place)
  const partner = partnerOf(world, largeId)
  const total = world.salesUnits.filter(({ partnerId }) => partnerId === largeId).length
  const queries = createQueries(world)
  let most = 0
  const time = async (query: Query): Promise<number> => {
    const began = performance.now()
    const found = await findTyped(database.kysely, partner, query, total)
    const took = performance.now() - began
    most = Math.max(most, found.total)
    return took
  }

  for (const query of queries.toSorted((a, b) => a.q.localeCompare(b.q)).slice(0, warmUp)) await time(query)
  const times = queries.map((): number[] => [])
  for (let round = 0; round < rounds; round += 1)
    for (const [index, query] of queries.entries()) times[index]?.push(await time(query))
  const timed = queries.map((query, index): Timed => ({ ...query, ms: median(times[index] ?? []) }))

  const short = timed.filter(({ q }) => q.length < 3)
  const long = timed.filter(({ q }) => q.length >= 3)
  const of = (some: readonly Timed[]) => some.map(({ ms }) => ms)
  const slowest = (some: readonly Timed[]) =>
    some.toSorted((a, b) => b.ms - a.ms)[0] ?? { q: '', page: 1, ms: 0 }
  const described = (some: readonly Timed[]): string => {
    const { q, page, ms } = slowest(some)
    return `most ${ms.toFixed(1)} ms: "${q}"${page > 1 ? ` page ${page}` : ''}`
  }
  report.atMost(`filter, ${long.length} q of 3 to 20 characters: p50`, quantile(of(long), 0.5), 15, ' ms')
  report.atMost('filter, q of 3 to 20 characters: p99', quantile(of(long), 0.99), 60, ' ms', described(long))
  report.atMost(`filter, ${short.length} q of 1 or 2 characters: p50`, quantile(of(short), 0.5), 40, ' ms')
  report.tell(
    'filter, q of 1 or 2 characters: p99',
    `${quantile(of(short), 0.99).toFixed(1)} ms (${described(short)})`,
  )
  report.atMost('filter: the most that is counted', most, mostCounted)

  const isSlow = quantile(of(long), 0.5) > 15 || quantile(of(long), 0.99) > 60
  for (const some of [isSlow ? long : [], quantile(of(short), 0.5) > 40 ? short : []]) {
    if (some.length === 0) continue
    const query = slowest(some)
    console.log(
      `\n"${query.q}" page ${query.page}:\n${await explainSearch(database, partner, query, total)}\n`,
    )
  }
  await database.close()
}
