import type { Reporter } from './results.ts'
import { makeFresh, siteOf } from './site.ts'
import type { RunningPortal, Stage } from './stage.ts'
import { median, Samples } from './statistics.ts'
import type { Visitor } from './visitor.ts'
import { largeId, smallId } from './world.ts'

const rounds = 100
const warmUpRounds = 5
/** Nothing grows older than a minute, after which a page has a record read again. */
const roundsUntilStale = 20

/** Every page of the large partner against the same page of the small one, and how often that asks the API. */
export const measurePages = async (
  { world, api }: Stage,
  portal: RunningPortal,
  visitor: Visitor,
  report: Reporter,
): Promise<void> => {
  const [small, large] = [siteOf(world, smallId), siteOf(world, largeId)]
  const shown = [...small.shown, ...large.shown]
  const samples = new Samples()
  await makeFresh(portal, shown)
  await api.ask.forget()
  let views = 0
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    if (round % roundsUntilStale === 0) await makeFresh(portal, shown)
    for (const [name, path] of large.pages) {
      const both = [
        ['large', path],
        ['small', small.pages.get(name) ?? ''],
      ] as const
      for (const [size, where] of round % 2 === 0 ? both : both.toReversed()) {
        const took = await visitor.view(where)
        views += 1
        if (round >= 0) samples.add(`${name} ${size}`, took)
      }
    }
  }
  const requests = await api.ask.requests()
  const ratios = [...large.pages.keys()].map((name) => {
    const [slow, quick] = [samples.median(`${name} large`), samples.median(`${name} small`)]
    return { name, slow, quick, ratio: slow / quick }
  })
  for (const { name, slow, quick, ratio } of ratios)
    console.log(
      `    ${name.padEnd(28)} ${quick.toFixed(2)} ms → ${slow.toFixed(2)} ms  × ${ratio.toFixed(2)}`,
    )
  const worst = ratios.reduce((found, next) => (next.ratio > found.ratio ? next : found))
  report.atMost(
    `${ratios.length} pages at 100 000 against 100 rows, worst`,
    worst.ratio,
    1.5,
    ' ×',
    `${worst.name}: ${worst.quick.toFixed(1)} → ${worst.slow.toFixed(1)} ms`,
  )
  const last: number[] = []
  for (let round = 0; round < roundsUntilStale; round += 1) last.push(await visitor.view(large.lastPage))
  const firstPage = samples.median('sales units large')
  report.tell(
    'the last page of 100 000 sales units',
    `${median(last).toFixed(1)} ms; the first ${firstPage.toFixed(1)} ms`,
  )
  report.atMost(`API calls in ${views} views of fresh pages`, requests.length, 0)
}
