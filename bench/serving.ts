import { setTimeout as sleep } from 'node:timers/promises'
import type { BareHandlers } from './bare.ts'
import { forkProcess } from './ipc.ts'
import type { Measured } from './meter.ts'
import type { Reporter } from './results.ts'
import type { RunningPortal } from './stage.ts'
import { median, quantile } from './statistics.ts'
import { signIn } from './visitor.ts'
import { largeId } from './world.ts'

const warmUp = 1500
const requests = 1500
const atOnce = 8
const perSecond = 100
const seconds = 20

type Server = {
  readonly ask: { resetMeter: () => Promise<void>; readMeter: () => Promise<Measured> }
  readonly view: () => Promise<number>
}

/** So many views, some at once, one after the other. */
const closedLoop = async (view: () => Promise<number>, count: number): Promise<void> => {
  let left = count
  const work = async (): Promise<void> => {
    while ((left -= 1) >= 0) await view()
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}

/** Requests that a second of the server's CPU, all threads, is enough for. */
const perCpuSecond = async ({ ask, view }: Server): Promise<number> => {
  await ask.resetMeter()
  await closedLoop(view, requests)
  return requests / ((await ask.readMeter()).cpuMs / 1000)
}

/** Views that begin when they are due, however long those before them take. @returns how long each took, waiting included */
const openLoop = async (view: () => Promise<number>): Promise<number[]> => {
  const began = performance.now()
  const took: Promise<number>[] = []
  for (let number = 0; number < perSecond * seconds; number += 1) {
    const due = began + (number * 1000) / perSecond
    const wait = due - performance.now()
    if (wait > 0) await sleep(wait)
    took.push(view().then(() => performance.now() - due))
  }
  return Promise.all(took)
}

const page = 'sales units, 25 rows, everything on'

/**
 * The page that is opened most, signed in, against a server that does nothing but send its bytes; and how it answers when
 * people come as people come. Visitors ask for what browsers ask for, compression included.
 */
export const measureServing = async (portal: RunningPortal, report: Reporter): Promise<void> => {
  const path = `/partners/${largeId}/sales-units`
  const crowd = await signIn(portal.url, { connections: atOnce, compressed: true })
  const html = await crowd.text(path)
  const bare = forkProcess<BareHandlers>('bare.ts')
  const bareUrl = await bare.ask.start(html)
  const servers = {
    portal: { ask: portal.ask, view: async () => crowd.view(path) },
    bare: { ask: bare.ask, view: async () => crowd.view(bareUrl) },
  }
  await closedLoop(servers.portal.view, warmUp)
  await closedLoop(servers.bare.view, warmUp)
  const rates = { portal: [] as number[], bare: [] as number[] }
  for (const name of ['portal', 'bare', 'bare', 'portal', 'portal', 'bare'] as const)
    rates[name].push(await perCpuSecond(servers[name]))
  await bare.end()
  const [ours, theirs] = [median(rates.portal), median(rates.bare)]
  report.atLeast(
    `${page}: requests a CPU-second, as a share of bare node:http`,
    ours / theirs,
    0.1,
    '',
    `${ours.toFixed(0)} of ${theirs.toFixed(0)}; ${(html.length / 1024).toFixed(0)} KB`,
  )
  const times = await openLoop(servers.portal.view)
  report.atMost(`${page}, ${perSecond} requests a second: p50`, median(times), 10, ' ms')
  report.atMost(`${page}, ${perSecond} requests a second: p99`, quantile(times, 0.99), 60, ' ms')
}
