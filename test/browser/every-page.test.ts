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

const wide = { width: 1280, height: 800 }
const views = [
  { colorScheme: 'light', viewport: wide, rules: tags },
  { colorScheme: 'dark', viewport: wide, rules: colourRules },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 }, rules: colourRules },
  // 1280 at 400 % zoom
  { colorScheme: 'light', viewport: { width: 320, height: 640 }, rules: tags },
] as const

async function faultsOf({ browser, path, name, visit }: SomePage): Promise<string[]> {
  const { page, watched, context } = await as(browser)
  // Chromium logs every error status to the console.
  if (visit.status >= 400) watched.expect(new RegExp(`the server responded with a status of ${visit.status}`))
  await page.goto(path)
  await page.evaluate(`${axe.source};undefined`)
  const faults: string[] = []
  for (const { colorScheme, viewport, rules } of views) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize(viewport)
    // Reflow (WCAG 1.4.10): no page scrolls sideways.
    const here = [...(await violationsOn(page, rules)), ...(await page.evaluate<string[]>('inPage.overflowing()'))]
    faults.push(...here.map((fault) => `${path} (${name}, ${colorScheme}, ${viewport.width}): ${fault}`))
  }
  await context.close()
  return faults
}

/** Several tests, because all pages in one would exceed the timeout on a slow machine. */
const parts = [1, 2, 3, 4, 5, 6]

it.each(parts)(
  `every page meets WCAG 2.2 AA in light and dark, and does not scroll sideways: part %i of ${parts.length}`,
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
