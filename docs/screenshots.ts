import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
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

/** Every kind of page, by name; `npm run screenshots -- every <directory>` takes each at every width, theme and language. */
const everyPage = {
  home: '',
  'product-orders': '/product-orders',
  'product-orders-filtered': '/product-orders?product=CASHIER',
  'sales-units': '/sales-units?q=fitness',
  'sales-unit': '/sales-units/123456?from=q%3Dfitness',
  merchant: '/merchants/business:NO:ORG/311900456',
  templates: '/templates',
  'price-packages': '/price-packages',
  webhooks: '/developers/webhooks',
  search: '/search?q=bergen',
  'no-match': '/sales-units?q=zz',
  'not-shared': '/sales-units/9999999',
}
const widths = [390, 820, 1024, 1360]

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

/** Takes `<name>-<width>-<theme>-<language>.png` of every page, in full length. */
async function takeEvery(browser: Browser, portalUrl: string, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const page = await browser.newPage({ locale: 'en-GB', reducedMotion: 'reduce' })
  await signIn(page, portalUrl)
  for (const language of ['en', 'nb']) {
    await page.goto(`${portalUrl}/language/${language}`)
    for (const [name, path] of Object.entries(everyPage)) {
      await page.goto(`${portalUrl}/partners/12345${path}`)
      await settled(page)
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 })
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          const file = `${name}-${width}-${colorScheme}-${language}.png`
          await page.screenshot({ path: join(directory, file), fullPage: true })
        }
      }
    }
  }
}

const [mode, directory] = process.argv.slice(2)
const dataDir = mkdtempSync(join(tmpdir(), 'portal-screenshots-'))
const demo = await startDemo({ ...parseDemoSwitches([]), dataDir, log: 'silent' })
const browser = await launchChromium()
try {
  if (mode === 'every' && directory !== undefined) await takeEvery(browser, demo.portalUrl, directory)
  else await takeAll(browser, demo.portalUrl)
} finally {
  await browser.close()
  await demo.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
