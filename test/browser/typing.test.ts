import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { addressOf, filterOf, focusedOn, holdBack, large, namesOn, saidOn, small } from '../support/browser/list.ts'
import { stage } from '../support/browser/fixture.ts'

const { signedIn } = stage()

const fjord = ['Fjord Fitness & Spa', 'Fjord Fitness & Spa innlogging']
const bergen = ['Bergen Fitness Sentrum']

async function open(path: string) {
  const visitor = await signedIn('Åse Bjørk')
  await visitor.page.goto(path)
  return visitor
}

async function shows(page: Page, names: readonly string[]): Promise<void> {
  return expect.poll(async () => namesOn(page)).toEqual(names)
}

/** Rows, field and address tell of the same filter. */
async function agreeOn(page: Page, q: string, names: readonly string[], address: string): Promise<void> {
  await expect.poll(() => addressOf(page)).toBe(address)
  await shows(page, names)
  expect(await filterOf(page).inputValue()).toBe(q)
}

describe('the list follows what is typed', () => {
  it('150 ms after the last letter, with one question', async () => {
    const { page } = await signedIn('Åse Bjørk')
    await page.clock.install()
    await page.goto(small)
    const asked: string[] = []
    page.on('request', (request) => {
      if (request.resourceType() === 'fetch') asked.push(new URL(request.url()).search)
    })
    await page.clock.pauseAt(Date.now() + 10_000)
    await filterOf(page).pressSequentially('fjo')
    await page.clock.runFor(149)
    await filterOf(page).pressSequentially('rd')
    await page.clock.runFor(149)
    expect(asked).toEqual([])
    await page.clock.runFor(1)
    await page.clock.resume()
    await agreeOn(page, 'fjord', fjord, `${small}?q=fjord`)
    expect(asked).toEqual(['?q=fjord'])
  })

  it('marks what was found, says how much that is, and leaves the caret where it was', async () => {
    const { page } = await open(small)
    await filterOf(page).pressSequentially('bgen')
    await expect.poll(async () => saidOn(page)).toBe('0 of 12 sales units match “bgen”')
    for (const key of ['Home', 'ArrowRight', 'e', 'r']) await page.keyboard.press(key)
    await expect.poll(async () => saidOn(page)).toBe('1 of 12 sales units matches “bergen”')
    expect(await page.locator('main mark').allInnerTexts()).toEqual(['Bergen'])
    expect(await focusedOn(page).getAttribute('id')).toBe('q')
    expect(await page.evaluate('document.activeElement.selectionStart')).toBe(3)
    await page.keyboard.press('Control+A')
    await page.keyboard.press('Delete')
    await expect.poll(async () => saidOn(page)).toBe('12 sales units')
    expect(await page.locator('main mark').count()).toBe(0)
    expect(addressOf(page)).toBe(small)
  })

  it.each([
    ['after the newer one', ['bergen', 'fjord']],
    ['before the newer one', ['fjord', 'bergen']],
  ] as const)('and drops an older answer that comes %s', async (_when, order) => {
    const { page } = await open(small)
    const held = {
      fjord: await holdBack(page, `${small}?q=fjord`),
      bergen: await holdBack(page, `${small}?q=bergen`),
    }
    await filterOf(page).fill('fjord')
    await held.fjord.asked
    await filterOf(page).fill('bergen')
    await held.bergen.asked
    const shown: string[][] = []
    for (const q of order) {
      await held[q].letGo()
      shown.push(await namesOn(page))
    }
    // The older answer is nowhere to be seen, not even for the time being.
    expect(shown).not.toContainEqual(fjord)
    await agreeOn(page, 'bergen', bergen, `${small}?q=bergen`)
  })
})

it('what is typed while another filter is on its way stays, and both hold', async () => {
  const { page } = await signedIn('Åse Bjørk')
  await page.clock.install()
  await page.goto(small)
  const { asked, begin } = await holdBack(page, `${small}?market=NO`)
  await page.getByLabel('Market').selectOption('Norway')
  await asked
  await page.clock.pauseAt(Date.now() + 10_000)
  await filterOf(page).pressSequentially('fi')
  begin()
  // Far less than 150 ms later the first answer is there.
  await expect
    .poll(async () => {
      await page.clock.runFor(1)
      return saidOn(page)
    })
    .toBe('7 of 12 sales units')
  await page.clock.resume()
  await filterOf(page).pressSequentially('tness s')
  await agreeOn(page, 'fitness s', bergen, `${small}?q=fitness+s&market=NO`)
})

describe('a filter that was typed', () => {
  it('is one step back, to the page one was at; forward, reload and whoever is sent the address see the same', async () => {
    const { page } = await open(large)
    const first = await namesOn(page)
    await page.getByRole('link', { name: 'Next' }).click()
    await page.waitForURL('**?page=2')
    await expect.poll(async () => namesOn(page)).not.toEqual(first)
    const second = await namesOn(page)
    await filterOf(page).fill('o')
    await page.waitForURL('**?q=o')
    await filterOf(page).fill('oslo')
    await page.waitForURL('**?q=oslo')
    await expect.poll(async () => saidOn(page)).toMatch(/match “oslo”$/)
    const oslo = await namesOn(page)

    await page.goBack()
    await agreeOn(page, '', second, `${large}?page=2`)
    await page.goForward()
    await agreeOn(page, 'oslo', oslo, `${large}?q=oslo`)
    await page.reload()
    await agreeOn(page, 'oslo', oslo, `${large}?q=oslo`)
    await page.goBack()
    await agreeOn(page, '', second, `${large}?page=2`)
    await page.goBack()
    await agreeOn(page, '', first, large)

    const { page: colleague } = await open(`${large}?q=oslo`)
    await agreeOn(colleague, 'oslo', oslo, `${large}?q=oslo`)
  })

  it('stays when one sorts and when another filter is taken away', async () => {
    const { page } = await open(small)
    await page.getByLabel('Market').selectOption('Norway')
    await page.waitForURL('**?market=NO')
    await filterOf(page).fill('fjord')
    await agreeOn(page, 'fjord', fjord, `${small}?q=fjord&market=NO`)
    for (const order of ['ascending', 'descending']) {
      await page.getByRole('button', { name: 'MSN' }).click()
      const heading = page.locator('th', { hasText: 'MSN' })
      await expect.poll(async () => heading.getAttribute('aria-sort')).toBe(order)
    }
    const [one, two] = fjord
    await agreeOn(page, 'fjord', [two, one].map(String), `${small}?q=fjord&market=NO&sort=-msn`)
    await page.getByRole('link', { name: 'Take away Market: Norway' }).click()
    await agreeOn(page, 'fjord', [two, one].map(String), `${small}?q=fjord&sort=-msn`)
    expect(await page.getByLabel('Market').inputValue()).toBe('')
    expect(await page.locator('.chips').count()).toBe(0)
  })

  it('that nothing matches says what was looked for, and leads out', async () => {
    const { page } = await open(small)
    const all = await namesOn(page)
    await filterOf(page).fill('<b>zz')
    const empty = page.locator('.empty')
    await expect.poll(async () => empty.locator('h2').innerText()).toBe('No sales unit matches “<b>zz”')
    expect(await empty.innerText()).toContain('Try a part of the name, the MSN or the business identifier.')
    await empty.getByRole('link', { name: 'Clear the filter' }).click()
    await agreeOn(page, '', all, small)
    expect(await focusedOn(page).innerText()).toBe('12 sales units')
  })
})
