import { afterAll, beforeAll, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { type HeldApi, startHeldApi } from '../support/browser/held-api.ts'
import { addressOf, filterOf, focusedOn, holdBack, namesOn, summaryOn, small } from '../support/browser/list.ts'
import { browserFixture } from '../support/browser/fixture.ts'
import { wordsOn } from '../support/browser/watch.ts'

const world = createDemoWorld({ salesUnits: 60 })
let api: HeldApi
beforeAll(async () => {
  api = await startHeldApi(world)
})
afterAll(() => api.stop())

const { signedIn } = browserFixture(() => ({
  world,
  synced: false,
  env: { MANAGEMENT_API_URL: api.url, MANAGEMENT_API_TIMEOUT_MS: '60000' },
}))

const firstRead = 'Loading for the first time'
const progress = /\d+ of 12 sales units loaded\./

it('a page of data that was never read says so, then shows the list without moving the focus', async () => {
  const [{ context, page: searching }, { page: empty }] = await Promise.all([
    signedIn('Åse Bjørk'),
    signedIn('Liisa Korhonen'),
  ])
  const [orders, found] = await Promise.all([context.newPage(), context.newPage()])
  await Promise.all([
    searching.goto(small),
    orders.goto('/partners/12345/product-orders'),
    found.goto('/partners/12345/search?q=bergen'),
    empty.goto('/partners/34567/sales-units?q=bergen'),
  ])
  for (const page of [searching, orders, empty]) {
    expect(await page.locator('main .ds-alert').innerText()).toBe(firstRead)
    expect(await page.locator('main table').count()).toBe(0)
    expect(await wordsOn(page)).not.toMatch(/No (sales units|product orders) yet/)
  }
  expect(await wordsOn(found)).toMatch(/Not included, because still loading: .*the sales units/)
  // One tab has text in the search box, another has the focus in the main part.
  await searching.locator('#find').fill('tromsø')
  await empty.keyboard.press('Tab')
  await empty.keyboard.press('Enter')
  const loads: string[] = []
  const all = [searching, orders, found, empty]
  for (const page of all) page.on('load', () => loads.push(page.url()))

  api.release('lists')
  await expect.poll(async () => namesOn(searching)).toHaveLength(12)
  expect(await summaryOn(searching)).toBe('12 sales units')
  expect(await wordsOn(searching)).toMatch(progress)
  await expect.poll(async () => summaryOn(orders)).toMatch(/^38 product orders/)
  await expect.poll(async () => wordsOn(empty)).toContain('No sales units yet')
  await expect.poll(async () => wordsOn(found)).toContain('Sales units 1 Bergen Fitness Sentrum')
  // A list is shown while the sync still writes it, with a note until it is complete.
  for (const page of all) await expect.poll(async () => wordsOn(page)).not.toContain(firstRead)
  expect(await focusedOn(searching).getAttribute('id')).toBe('find')
  expect(await focusedOn(searching).inputValue()).toBe('tromsø')
  expect(await focusedOn(empty).getAttribute('id')).toBe('main')
  expect(loads).toEqual([])

  // The filter that appeared with the list works.
  await filterOf(searching).fill('bergen')
  await expect.poll(async () => namesOn(searching)).toEqual(['Bergen Fitness Sentrum'])
})

it('an update of the list keeps the user’s filter, focus and row', async () => {
  const { context, page: typing } = await signedIn('Åse Bjørk')
  const [navigating, unit] = await Promise.all([context.newPage(), context.newPage()])
  await Promise.all([typing.goto(small), navigating.goto(small), unit.goto(`${small}/123789`)])
  expect(await wordsOn(typing)).toMatch(progress)
  expect(await wordsOn(typing)).toContain('Not loaded yet')
  expect(await unit.locator('h1').innerText()).toBe('Bergen Fitness Sentrum')
  expect(await wordsOn(unit)).toContain('Details are still loading.')

  // A response for the unfiltered list is pending when the user begins to type.
  const { asked, release } = await holdBack(typing, small)
  await asked
  await filterOf(typing).fill('bergen')
  await expect.poll(async () => summaryOn(typing)).toBe('1 of 12 sales units matches “bergen”')
  await release()
  expect(await namesOn(typing)).toEqual(['Bergen Fitness Sentrum'])
  await filterOf(navigating).press('ArrowDown')
  const row = await focusedOn(navigating).innerText()

  api.release('details')
  for (const page of [typing, navigating]) await expect.poll(async () => wordsOn(page)).not.toMatch(progress)
  expect(await wordsOn(typing)).toContain('ACME Fantastic Fitness AS')
  expect([addressOf(typing), await filterOf(typing).inputValue()]).toEqual([`${small}?q=bergen`, 'bergen'])
  expect(await focusedOn(typing).getAttribute('id')).toBe('q')
  expect(await focusedOn(navigating).innerText()).toBe(row)
  await navigating.keyboard.press('Escape')
  await expect.poll(async () => wordsOn(navigating)).not.toContain('Not loaded yet')
  await expect.poll(async () => wordsOn(unit)).toContain('Settings')
  expect(await unit.getByRole('button', { name: 'Copy MSN' }).isVisible()).toBe(true)
})
