import type { Reporter } from './results.ts'
import { makeFresh, makeStale, type Site, siteOf } from './site.ts'
import { type RunningPortal, type Stage, untilIdle } from './stage.ts'
import { Samples } from './statistics.ts'
import type { Visitor } from './visitor.ts'
import { largeId } from './world.ts'

type Condition = {
  readonly name: string
  readonly weather: { readonly latencyMs: number; readonly down: boolean }
  readonly isStale: boolean
}

const atOnce: Condition = { name: 'at once', weather: { latencyMs: 0, down: false }, isStale: false }
const inTwoSeconds = { latencyMs: 2000, down: false }
const down = { latencyMs: 0, down: true }

/**
 * In short turns, one after the other; what is due is read meanwhile, which takes longer turns to see. The first
 * condition is what the others are compared with: only the API differs.
 */
const comparisons = [
  {
    conditions: [
      atOnce,
      { name: 'in 2 s, all fresh', weather: inTwoSeconds, isStale: false },
      { name: 'down, all fresh', weather: down, isStale: false },
    ],
    turns: 50,
    viewsInTurn: 1,
  },
  {
    conditions: [
      { ...atOnce, name: 'at once, all due', isStale: true },
      { name: 'in 2 s, all due', weather: inTwoSeconds, isStale: true },
      { name: 'down, all due', weather: down, isStale: true },
    ],
    turns: 10,
    viewsInTurn: 5,
  },
] as const

type Actors = {
  readonly api: Stage['api']
  readonly portal: RunningPortal
  readonly visitor: Visitor
  readonly site: Site
}

/** One turn under one condition; what was under way is over when it ends. */
const takeTurn = async (
  { api, portal, visitor, site }: Actors,
  { name, weather, isStale }: Condition,
  views: number,
  samples: Samples,
): Promise<void> => {
  await (isStale ? makeStale : makeFresh)(portal, site.shown)
  await api.ask.weather(weather)
  if (isStale) await portal.ask.beat()
  for (let view = 0; view < views; view += 1)
    for (const [page, path] of site.pages) samples.add(`${page} ${name}`, await visitor.view(path))
  await api.ask.weather(atOnce.weather)
  if (!isStale) return
  await makeFresh(portal, site.shown)
  await untilIdle(portal)
}

/** Every page of the large partner while the API is slow or down, against the same page while it answers at once. */
export const measureWeather = async (
  { world, api }: Stage,
  portal: RunningPortal,
  visitor: Visitor,
  report: Reporter,
): Promise<void> => {
  const site = siteOf(world, largeId)
  for (const path of site.pages.values()) await visitor.view(path)
  for (const { conditions, turns, viewsInTurn } of comparisons) {
    const samples = new Samples()
    for (let turn = 0; turn < turns; turn += 1)
      for (const condition of turn % 2 === 0 ? conditions : conditions.toReversed())
        await takeTurn({ api, portal, visitor, site }, condition, viewsInTurn, samples)
    const [base, ...others] = conditions
    for (const { name } of others) {
      const ratios = [...site.pages.keys()].map((page) => {
        const [quick, slow] = [samples.median(`${page} ${base.name}`), samples.median(`${page} ${name}`)]
        return { page, quick, slow, ratio: slow / quick }
      })
      for (const { page, quick, slow, ratio } of ratios) {
        const times = `${quick.toFixed(2)} → ${slow.toFixed(2)} ms`
        console.log(`    ${name}: ${page.padEnd(28)} ${times}  × ${ratio.toFixed(2)}`)
      }
      const worst = ratios.reduce((found, next) => (next.ratio > found.ratio ? next : found))
      const note = `${worst.page}: ${worst.quick.toFixed(1)} → ${worst.slow.toFixed(1)} ms`
      report.atMost(`${ratios.length} pages, API ${name}, worst`, worst.ratio, 1.1, ' ×', note)
    }
  }
}
