import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { startDemo } from '../demo/demo.ts'
import { parseDemoSwitches } from '../demo/switches.ts'
import { launchChromium } from '../test/support/chromium.ts'

/** The pictures in README and docs, by name: pages of the demo, each light and dark. */
const pictures = {
  landing: { path: '/partners/12345', height: 1480 },
  'sales-units': { path: '/partners/12345/sales-units?q=fitness', height: 800 },
  'sales-unit': { path: '/partners/12345/sales-units/123456', height: 800 },
  'product-orders': { path: '/partners/12345/product-orders', height: 800 },
}

const images = join(import.meta.dirname, 'images')

async function signIn(page: Page, portalUrl: string): Promise<void> {
  await page.goto(portalUrl)
  await page.getByRole('main').getByRole('link', { name: 'Sign in with eID' }).click()
  await page.getByRole('button', { name: 'Kari Nordmann' }).click()
  await page.waitForURL(`${portalUrl}/**`)
}

/** Once all of it has been read, which takes the demo a moment. */
async function settled(page: Page): Promise<void> {
  await page.locator('[data-reading]').waitFor({ state: 'detached', timeout: 60_000 })
  await page.evaluate('document.fonts.ready')
}

async function takeAll(browser: Browser, portalUrl: string): Promise<void> {
  const page = await browser.newPage({ locale: 'en-GB', reducedMotion: 'reduce' })
  await signIn(page, portalUrl)
  for (const [name, { path, height }] of Object.entries(pictures)) {
    await page.setViewportSize({ width: 1280, height })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.goto(portalUrl + path)
      await settled(page)
      await page.screenshot({ path: join(images, `${name}-${colorScheme}.png`) })
    }
  }
}

const dataDir = mkdtempSync(join(tmpdir(), 'portal-screenshots-'))
const demo = await startDemo({ ...parseDemoSwitches([]), dataDir, log: 'silent' })
const browser = await launchChromium()
try {
  await takeAll(browser, demo.portalUrl)
} finally {
  await browser.close()
  await demo.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
