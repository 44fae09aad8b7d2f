import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { beforeAll, expect, it } from 'vitest'
import { browserFixture } from '../support/browser/fixture.ts'
import { everyPage, type SomePage } from '../support/every-page.ts'

const { portal, as } = browserFixture()

let pages: SomePage[]
beforeAll(async () => {
  ;({ pages } = await everyPage(portal()))
})

/** WCAG 2.2 AA and axe's best practices. */
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

async function violationsOn(page: Page, runOnly: readonly string[]): Promise<string[]> {
  const options = JSON.stringify({ runOnly, resultTypes: ['violations'] })
  const { violations } = await page.evaluate<AxeResults>(`axe.run(document, ${options})`)
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary}`),
  )
}

/** The rules that depend on colours. */
const colourRules = ['color-contrast', 'link-in-text-block']

/** A small phone, which is also 1280 px at 400 % zoom; a phone; a tablet; a computer. */
const sizes = [
  { width: 320, height: 256 },
  { width: 390, height: 844 },
  { width: 1024, height: 768 },
  { width: 1360, height: 850 },
]
/** Phones to large screens, with both sides of each width at which the layout changes. */
const widths = [
  320, 360, 390, 430, 540, 640, 704, 767, 768, 820, 912, 960, 1023, 1024, 1151, 1152, 1255, 1264, 1280, 1440, 1920,
  2560,
]

async function outOfSightOn(page: Page): Promise<string[]> {
  const faults: string[] = []
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 })
    const found = '[...inPage.overflowing(), ...inPage.cellFaults(), ...inPage.brokenWords()]'
    faults.push(...(await page.evaluate<string[]>(found)))
  }
  return faults
}

async function faultsOf({ browser, path, name, visit }: SomePage): Promise<string[]> {
  const { page, watched, context } = await as(browser)
  // Chromium logs every error status to the console.
  if (visit.status >= 400) watched.expect(new RegExp(`the server responded with a status of ${visit.status}`))
  await page.goto(path)
  await page.evaluate(`${axe.source};undefined`)
  const faults: string[] = []
  for (const [colorScheme, rules] of [['light', tags] as const, ['dark', colourRules] as const]) {
    await page.emulateMedia({ colorScheme })
    for (const viewport of sizes) {
      await page.setViewportSize(viewport)
      const here = await violationsOn(page, rules)
      faults.push(...here.map((fault) => `${path} (${name}, ${colorScheme}, ${viewport.width}): ${fault}`))
    }
  }
  faults.push(...(await outOfSightOn(page)).map((fault) => `${path} (${name}): ${fault}`))
  await context.close()
  return faults
}

/** Several tests, because all pages in one would exceed the timeout on a slow machine. */
const parts = Array.from({ length: 10 }, (_, index) => index + 1)

it.each(parts)(
  `every page meets WCAG 2.2 AA, light and dark, and has nothing out of sight at any width: part %i of ${parts.length}`,
  async (part) => {
    const todo = pages.filter((_, index) => index % parts.length === part - 1)
    expect(todo.length).toBeGreaterThan(0)
    const faults: string[] = []
    const work = async (): Promise<void> => {
      for (let next = todo.shift(); next; next = todo.shift()) faults.push(...(await faultsOf(next)))
    }
    await Promise.all([work(), work(), work()])
    expect(faults).toEqual([])
  },
)

it.each(['nb', 'da', 'sv', 'fi'])('no column is out of sight at any width in the language %s', async (code) => {
  const tables = pages.filter(({ name, visit }) => name === 'Åse Bjørk' && visit.$('main table').length > 0)
  expect(tables.length).toBeGreaterThan(10)
  const { page } = await as(tables[0]!.browser)
  await page.goto(`/language/${code}`)
  const faults: string[] = []
  for (const { path } of tables) {
    await page.goto(path)
    faults.push(...(await outOfSightOn(page)).map((fault) => `${path}: ${fault}`))
  }
  expect(faults).toEqual([])
})
