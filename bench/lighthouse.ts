import lighthouse, { desktopConfig, type Config, type Flags, type Result } from 'lighthouse'
import { launchChromium } from '../test/support/chromium.ts'
import { startPortal } from './fixture.ts'
import type { LargeFixture } from './large-fixture.ts'
import { freePort } from './processes.ts'
import { atMost, median } from './report.ts'
import { largeId, salesUnitsOf } from './world.ts'

/** Lighthouse's default is a phone on a slow network. */
const devices = { phone: undefined, computer: desktopConfig }
const onlyCategories = ['performance', 'accessibility', 'best-practices']

/** Measures the Lighthouse scores of five pages on phone and computer, and the size of the pages. */
export async function measureLighthouse(fixture: LargeFixture): Promise<void> {
  const portal = await startPortal(fixture)
  const port = Number(await freePort())
  const chromium = await launchChromium([`--remote-debugging-port=${port}`])
  const base = `${fixture.url}/partners/${largeId}`
  const pages = {
    'sign-in': fixture.url,
    landing: base,
    'sales units': `${base}/sales-units`,
    'one sales unit': `${base}/sales-units/${salesUnitsOf(fixture.world, largeId)[0]?.body.msn}`,
    'product orders': `${base}/product-orders`,
  }
  try {
    const [{ Cookie = '' } = {}] = fixture.visitors
    for (const [name, url] of Object.entries(pages)) {
      const extraHeaders = name === 'sign-in' ? {} : { Cookie }
      const flags: Flags = { port, logLevel: 'error', extraHeaders, onlyCategories }
      for (const [device, config] of Object.entries(devices)) {
        const runs: Result[] = []
        while (runs.length < 3) runs.push(await audit(url, flags, config))
        for (const category of onlyCategories) {
          const lost = median(runs.map(({ categories }) => 1 - (categories[category]?.score ?? 0)))
          atMost(`${name}, ${device}: ${category}, points below 100`, Math.round(lost * 100), 0)
        }
      }
      const first = await audit(url, flags)
      const next = await audit(url, { ...flags, disableStorageReset: true })
      atMost(`${name}: first visit`, kilobytes(first), 120, ' KB')
      atMost(`${name}: next visit`, kilobytes(next), 15, ' KB')
    }
  } finally {
    await chromium.close()
    await portal.stop()
  }
}

/** Audits a page, up to three times: a trace of Chromium sometimes lacks its start. */
async function audit(url: string, flags: Flags, config?: Config, tries = 3): Promise<Result> {
  const { lhr } = (await lighthouse(url, flags, config)) ?? {}
  if (lhr && !lhr.runtimeError) return lhr
  if (tries > 1) return audit(url, flags, config, tries - 1)
  throw new Error(`Lighthouse cannot audit ${url}: ${lhr?.runtimeError?.message ?? 'no result'}`)
}

function kilobytes({ audits }: Result): number {
  return (audits['total-byte-weight']?.numericValue ?? Number.NaN) / 1024
}
