import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { launchChromium } from '../test/support/chromium.ts'
import { createQueries } from './queries.ts'
import type { Reporter } from './results.ts'
import type { RunningPortal, Stage } from './stage.ts'
import { median, quantile } from './statistics.ts'
import { visitors } from './visitor.ts'
import { largeId } from './world.ts'

/** So many texts are typed, letter by letter. */
const typedTexts = 25
const debounceMs = 150
const inPage = fileURLToPath(new URL('in-page.js', import.meta.url))

/** Signs in as somebody signs in. */
const signIn = async (page: Page, url: string): Promise<void> => {
  await page.goto(url)
  await page.click('main a.ds-button')
  await page.getByText(visitors[0]?.name ?? '').click()
  await page.waitForURL((at) => at.href.startsWith(url))
}

/** From a letter on the keyboard until the list says what it found, as the browser has painted it. */
const timeLetter = async (page: Page, letter: string): Promise<number> => {
  await page.evaluate('timeNextLetter()')
  await page.keyboard.type(letter)
  return page.evaluate<number>('updated')
}

/** How long the list of all of the large partner's sales units takes to follow who types, after the pause that it waits for. */
export const measureKeystroke = async (
  { world }: Stage,
  portal: RunningPortal,
  report: Reporter,
): Promise<void> => {
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.addInitScript({ path: inPage })
    await signIn(page, portal.url)
    await page.goto(`${portal.url}/partners/${largeId}/sales-units`)
    const letters: { readonly typed: string; readonly ms: number }[] = []
    const texts = createQueries(world)
      .filter(({ q }) => /^[\p{L}\d]{3,8}$/u.test(q))
      .slice(0, typedTexts)
      .map(({ q }) => q)
    for (const text of texts) {
      await page.fill('#q', '')
      await page.waitForURL((at) => !at.search.includes('q='))
      await page.focus('#q')
      let typed = ''
      for (const letter of text) {
        typed += letter
        const took = await timeLetter(page, letter)
        letters.push({ typed, ms: took - debounceMs })
      }
    }
    for (const { typed, ms } of letters.toSorted((a, b) => b.ms - a.ms).slice(0, 12))
      console.log('      ', typed, ms.toFixed(0))
    const times = letters.map(({ ms }) => ms)
    const [slowest] = letters.toSorted((a, b) => b.ms - a.ms)
    report.atMost(
      `keystroke to updated list, ${times.length} letters in Chromium: p95`,
      quantile(times, 0.95),
      150,
      ' ms',
      `p50 ${median(times).toFixed(0)} ms, most ${slowest?.ms.toFixed(0)} ms: "${slowest?.typed}"`,
    )
  } finally {
    await browser.close()
  }
}
