import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { startDemo } from '../demo/demo.ts'
import { parseDemoSwitches } from '../demo/switches.ts'
import { launchChromium } from '../test/support/chromium.ts'

const partner = '/partners/12345'

/** The pictures in README and docs, by name: pages of the demo, each light and dark. */
const pictures = {
  landing: { path: partner, height: 1480 },
  'sales-units': { path: `${partner}/sales-units?q=fitness`, height: 800 },
  'sales-unit': { path: `${partner}/sales-units/123456`, height: 800 },
  'product-orders': { path: `${partner}/product-orders`, height: 800 },
}

/** Every kind of page, by name; `npm run screenshots -- every <directory>` takes each at every width, theme and language. */
const everyPage = {
  select: '/select?all',
  profile: '/profile',
  home: partner,
  'home-of-a-merchant': '/merchants/business:NO:ORG/311900456',
  'product-orders': `${partner}/product-orders`,
  'product-orders-filtered': `${partner}/product-orders?product=CASHIER`,
  'product-order': `${partner}/product-orders/:first`,
  'sales-units': `${partner}/sales-units?q=fitness`,
  'sales-unit': `${partner}/sales-units/123456?from=q%3Dfitness`,
  merchants: `${partner}/merchants`,
  merchant: `${partner}/merchants/business:NO:ORG/311900456`,
  templates: `${partner}/templates`,
  'price-packages': `${partner}/price-packages`,
  webhooks: `${partner}/developers/webhooks`,
  activity: `${partner}/activity`,
  why: `${partner}/why?q=123456`,
  'why-malformed': `${partner}/why?q=NO+311+900+45`,
  search: `${partner}/search?q=bergen`,
  'no-match': `${partner}/sales-units?q=zz`,
  'not-shared': `${partner}/sales-units/9999999`,
}
const widths = [390, 820, 1024, 1360]

const images = join(import.meta.dirname, 'images')

async function signIn(page: Page, portalUrl: string, person = 'Kari Nordmann'): Promise<void> {
  await page.goto(portalUrl)
  await page.getByRole('main').getByRole('link', { name: 'Sign in with eID' }).click()
  await page.getByRole('button', { name: person }).click()
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
      await page.screenshot({ path: join(images, `${name}-${colorScheme}.png`), animations: 'disabled' })
    }
  }
}

/** Takes `<name>-<language>-<width>-<theme>.png` of every page, in full length. */
async function takeEvery(browser: Browser, portalUrl: string, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const page = await browser.newPage({ locale: 'en-GB', reducedMotion: 'reduce' })
  await page.goto(portalUrl)
  await takeSizes(page, join(directory, 'sign-in'))
  await signIn(page, portalUrl, 'Åse Bjørk')
  await page.goto(`${portalUrl}${partner}/product-orders`)
  const first = await page.locator('main tbody a').first().getAttribute('href')
  for (const language of ['en', 'nb']) {
    await page.goto(`${portalUrl}/language/${language}`)
    for (const [name, path] of Object.entries(everyPage)) {
      await page.goto(portalUrl + path.replace(`${partner}/product-orders/:first`, String(first)))
      await settled(page)
      await takeSizes(page, join(directory, `${name}-${language}`))
    }
  }
}

async function takeSizes(page: Page, name: string): Promise<void> {
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: `${name}-${width}-${colorScheme}.png`, fullPage: true, animations: 'disabled' })
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
