import type { Page, Request } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { addressOf, filterOf, focusedOn, large, namesOn, saidOn, small } from './support/list.ts'
import { stage } from './support/stage.ts'

const { signedIn } = stage()

const open = async (path: string) => {
  const visitor = await signedIn('Åse Bjørk')
  await visitor.page.goto(path)
  return visitor
}

const fitness = [
  'ACME Fantastic Fitness',
  'Bergen Fitness Sentrum',
  'Fitness Tampere Oy',
  'Fjord Fitness & Spa',
  'Fjord Fitness & Spa innlogging',
  'København Fitness Nørrebro',
  'København Fitness Ø',
  'Tromsø Fitness Nordlys',
]

/** Waits until the list shows these names, in this order. */
const shows = async (page: Page, names: readonly string[]): Promise<void> =>
  expect.poll(async () => namesOn(page)).toEqual(names)

/** Address, field and rows tell of the same filter. */
const agreeOn = async (page: Page, q: string, names: readonly string[]): Promise<void> => {
  await shows(page, names)
  expect([await filterOf(page).inputValue(), addressOf(page)]).toEqual([q, q ? `${small}?q=${q}` : small])
}

/** Keeps the answers to this text back until `go`, which resolves when the page has dealt with them. */
const holdBack = async (page: Page, q: string): Promise<{ asked: Promise<Request>; go: () => Promise<void> }> => {
  const asked = page.waitForRequest((request) => new URL(request.url()).searchParams.get('q') === q)
  const [held, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await page.route(
    (url) => url.searchParams.get('q') === q,
    async (route) => {
      const response = await route.fetch()
      await held.promise
      await route.fulfill({ response })
      done.resolve()
    },
  )
  return {
    asked,
    go: async () => {
      held.resolve()
      await done.promise
      // It is read, parsed and shown within a few tasks, if it is.
      await page.evaluate('new Promise((resolve) => setTimeout(() => requestAnimationFrame(resolve), 50))')
    },
  }
}

describe('typing', () => {
  it('asks once, 150 ms after the last letter', async () => {
    const { page } = await signedIn('Åse Bjørk')
    await page.clock.install()
    await page.goto(small)
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.clock.pauseAt(Date.now() + 10_000)
    await filterOf(page).pressSequentially('fitn')
    await page.clock.runFor(100)
    await filterOf(page).pressSequentially('ess')
    await page.clock.runFor(149)
    expect(asked).toEqual([])
    await page.clock.runFor(1)
    await expect.poll(() => asked.map((url) => new URL(url).search)).toEqual(['?q=fitness'])
    await page.clock.resume()
    await agreeOn(page, 'fitness', fitness)
    expect(asked).toHaveLength(1)
  })

  it('marks what was found, says how much it is, and leaves the caret where it was', async () => {
    const { page } = await open(small)
    await filterOf(page).pressSequentially('ftness')
    await expect.poll(async () => saidOn(page)).toBe('0 of 12 sales units match “ftness”')
    for (let step = 0; step < 5; step += 1) await page.keyboard.press('ArrowLeft')
    await page.keyboard.type('i')
    await expect.poll(async () => saidOn(page)).toBe('8 of 12 sales units match “fitness”')
    const marked = await page.locator('main td:first-child mark').allInnerTexts()
    expect(marked).toEqual(fitness.map(() => 'Fitness'))
    expect(await focusedOn(page).getAttribute('id')).toBe('q')
    expect(await page.evaluate('document.activeElement.selectionStart')).toBe(2)
  })
})
