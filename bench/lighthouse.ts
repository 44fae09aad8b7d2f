import lighthouse, { desktopConfig, type Config, type Flags, type Result } from 'lighthouse'
import { launchChromium } from '../test/support/chromium.ts'
import { startPortal } from './fixture.ts'
import { type LargeFixture, pagesOf, sessionCookie } from './large-fixture.ts'
import { freePort } from './processes.ts'
import { atMost, median } from './report.ts'
import { largeId } from './world.ts'

/** Lighthouse's default is a phone on a slow network. */
const devices = { phone: undefined, computer: desktopConfig }
/** Those that make up the performance, in milliseconds. */
const metrics = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'speed-index']
const onlyCategories = ['performance', 'accessibility', 'best-practices']

/** Measures the Lighthouse scores of eight pages on phone and computer, and the size of the pages. */
export async function measureLighthouse(fixture: LargeFixture): Promise<void> {
  const portal = await startPortal(fixture)
  const port = Number(await freePort())
  const chromium = await launchChromium([`--remote-debugging-port=${port}`])
  const base = `/partners/${largeId}`
  const audited = /^\/partners\/\d+(\/(product-orders|sales-units)(\/[\w-]+)?)?$/
  const paths = pagesOf(fixture, largeId).filter((path) => audited.test(path))
  const pages = ['/', ...paths, `${base}/merchants`, `${base}/activity`]
  const flags: Flags = { port, logLevel: 'error', onlyCategories }
  const session = await chromium.newBrowserCDPSession()
  try {
    for (const path of pages) {
      const url = fixture.url + path
      /** Audits the page, up to three times: a trace of Chromium sometimes lacks its start. */
      const run = async (config?: Config, more: Flags = {}, tries = 3): Promise<Result> => {
        // Chromium forgets the session with the last tab; the sign-in page has none.
        if (path !== '/') await session.send('Storage.setCookies', { cookies: [sessionCookie(fixture)] })
        const { lhr } = (await lighthouse(url, { ...flags, ...more }, config)) ?? {}
        if (lhr && !lhr.runtimeError && lhr.finalDisplayedUrl === url) return lhr
        if (tries > 1) return run(config, more, tries - 1)
        throw new Error(`Lighthouse cannot audit ${url}: ${lhr?.runtimeError?.message ?? lhr?.finalDisplayedUrl}`)
      }
      for (const [device, config] of Object.entries(devices)) {
        const runs: Result[] = []
        while (runs.length < 3) runs.push(await run(config))
        for (const category of onlyCategories) {
          const lost = median(runs.map(({ categories }) => 1 - (categories[category]?.score ?? 0)))
          const note = category === 'performance' ? metrics.map((id) => `${id} ${medianOf(runs, id)}`).join(', ') : ''
          atMost(`${path}, ${device}: ${category}, points below 100`, Math.round(lost * 100), 0, '', note)
        }
        if (device === 'computer') continue
        atMost(`${path}: first visit`, kilobytes(runs[0]), 120, ' KB')
        atMost(`${path}: next visit`, kilobytes(await run(config, { disableStorageReset: true })), 15, ' KB')
      }
    }
  } finally {
    await chromium.close()
    await portal.stop()
  }
}

function medianOf(runs: readonly Result[], id: string): number {
  return Math.round(median(runs.map(({ audits }) => audits[id]?.numericValue ?? Number.NaN)))
}

/** The bytes that the page has loaded, with headers. */
function kilobytes(result?: Result): number {
  return (result?.audits['total-byte-weight']?.numericValue ?? Number.NaN) / 1024
}
