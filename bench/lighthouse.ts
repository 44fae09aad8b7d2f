import type { Browser as Chromium, Page } from 'playwright-core'
import lighthouse, { desktopConfig, type Config, type Flags, type Result } from 'lighthouse'
import { Browser } from '../test/support/browser.ts'
import { launchChromium } from '../test/support/chromium.ts'
import type { Reporter } from './results.ts'
import type { RunningPortal, Stage } from './stage.ts'
import { median } from './statistics.ts'
import { freePort, visitors } from './visitor.ts'
import { largeId } from './world.ts'

const rounds = 3
const categories = ['performance', 'accessibility', 'best-practices'] as const

/** A phone on a slow network, as Lighthouse takes one unless told; and a computer. */
const devices: readonly (readonly [string, Config | undefined])[] = [
  ['phone', undefined],
  ['computer', desktopConfig],
]

type Category = (typeof categories)[number]
/** Points of 100, and the audits that cost some. */
type Scored = { readonly points: number; readonly lost: readonly string[] }

/** Now and then Chromium's trace has no beginning, which says nothing about the page. */
const mostTries = 3

const look = async (url: string, flags: Flags, config: Config | undefined, tries = 1): Promise<Result> => {
  const { lhr } = (await lighthouse(url, { ...flags, onlyCategories: [...categories] }, config)) ?? {}
  if (lhr && !lhr.runtimeError) return lhr
  if (tries < mostTries) return look(url, flags, config, tries + 1)
  throw new Error(`Lighthouse cannot look at ${url}: ${lhr?.runtimeError?.message ?? 'it says nothing'}`)
}

const scoreIn = ({ categories: scored, audits }: Result, category: Category): Scored => ({
  points: Math.round((scored[category]?.score ?? 0) * 100),
  lost: (scored[category]?.auditRefs ?? [])
    .filter(({ weight }) => weight > 0)
    .flatMap(({ id }) => audits[id] ?? [])
    .filter(({ score }) => score !== null && score < 1)
    .map(({ id, score, displayValue }) => `${id} ${score} ${displayValue ?? ''}`.trim()),
})

type Transfer = { readonly name: string; readonly bytes: number; readonly body: number }

/** What has come over the wire since the page was asked for: `bytes` with headers, `body` as it was packed. */
const transferred = async (page: Page): Promise<Transfer[]> =>
  page.evaluate<Transfer[]>(
    `['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type)).map(
      ({ name, transferSize, encodedBodySize }) => ({ name, bytes: transferSize, body: encodedBodySize }))`,
  )

const kilobytes = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0) / 1024

type Visited = {
  readonly first: number
  readonly again: number
  readonly asked: number
  readonly scripts: number
}

/** What a browser that knows nothing of the portal takes for a page, and what it takes when it comes again. */
const visitTwice = async (chromium: Chromium, url: string, cookie: string): Promise<Visited> => {
  const context = await chromium.newContext()
  if (cookie) await context.addCookies([{ name: 'portal', value: cookie, url }])
  const page = await context.newPage()
  await page.goto(url, { waitUntil: 'networkidle' })
  const first = await transferred(page)
  await page.goto(url, { waitUntil: 'networkidle' })
  const again = await transferred(page)
  await context.close()
  return {
    first: kilobytes(first.map(({ bytes }) => bytes)),
    again: kilobytes(again.map(({ bytes }) => bytes)),
    asked: again.filter(({ bytes }) => bytes > 0).length,
    scripts: kilobytes(first.filter(({ name }) => name.endsWith('.js')).map(({ body }) => body)),
  }
}

/** What Lighthouse says of five pages, and what they weigh. */
export const measureLighthouse = async (
  { world }: Stage,
  portal: RunningPortal,
  report: Reporter,
): Promise<void> => {
  const person = new Browser(portal.url)
  await person.signIn(visitors[2]?.name ?? '')
  const cookie = person.cookie('portal') ?? ''
  const msn = world.salesUnits.find(({ partnerId }) => partnerId === largeId)?.body.msn ?? ''
  const base = `/partners/${largeId}`
  const pages = [
    ['sign-in', '/', ''],
    ['landing', base, cookie],
    ['sales units', `${base}/sales-units`, cookie],
    ['one sales unit', `${base}/sales-units/${msn}`, cookie],
    ['product orders', `${base}/product-orders`, cookie],
  ] as const
  const port = await freePort()
  const chromium = await launchChromium([`--remote-debugging-port=${port}`])
  try {
    for (const [name, path, signedIn] of pages) {
      const url = `${portal.url}${path}`
      const visited = await visitTwice(chromium, url, signedIn)
      report.atMost(`${name}: first visit`, visited.first, 120, ' KB', 'all bytes, compressed')
      report.atMost(`${name}: the next visit`, visited.again, 15, ' KB', `requests: ${visited.asked}`)
      report.atMost(`${name}: scripts`, visited.scripts, 20, ' KB', 'ours and htmx, compressed')
      for (const [device, config] of devices) {
        const extraHeaders = { ...(signedIn && { Cookie: `portal=${signedIn}` }) }
        const runs: Result[] = []
        for (let round = 0; round < rounds; round += 1)
          runs.push(await look(url, { port, logLevel: 'error', extraHeaders }, config))
        for (const category of categories) {
          const scores = runs.map((run) => scoreIn(run, category))
          const points = median(scores.map((score) => score.points))
          const lost = points < 100 ? [...new Set(scores.flatMap((score) => score.lost))].join(', ') : ''
          report.atLeast(`${name}, ${device}: ${category}`, points, 100, '', lost)
        }
      }
    }
  } finally {
    await chromium.close()
  }
}
