import { afterAll, beforeAll, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { type HeldApi, startHeldApi } from '../support/browser/held-api.ts'
import { addressOf, filterOf, focusedOn, holdBack, namesOn, saidOn, small } from '../support/browser/list.ts'
import { stage } from '../support/browser/fixture.ts'
import { wordsOn } from '../support/browser/watch.ts'

const world = createDemoWorld({ salesUnits: 60 })
let api: HeldApi
beforeAll(async () => {
  api = await startHeldApi(world)
})
afterAll(() => api.stop())

const { signedIn } = stage(() => ({
  world,
  synced: false,
  env: { MANAGEMENT_API_URL: api.url, MANAGEMENT_API_TIMEOUT_MS: '60000' },
}))

const beingRead = 'Being read for the first time'
const soFar = /Read in full so far: \d+ of 12 sales units\./

it('what has never been read says so, and becomes the list by itself, wherever one is meanwhile', async () => {
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
    expect(await page.locator('main .ds-alert').innerText()).toBe(beingRead)
    expect(await page.locator('main table').count()).toBe(0)
    expect(await wordsOn(page)).not.toMatch(/No (sales units|product orders) yet/)
  }
  expect(await wordsOn(found)).toMatch(/Not searched, because it has not been read yet: .*Sales units/)
  // One looks for something else, one has come to the content with the keyboard.
  await searching.locator('#find').fill('tromsø')
  await empty.keyboard.press('Tab')
  await empty.keyboard.press('Enter')
  const loads: string[] = []
  const all = [searching, orders, found, empty]
  for (const page of all) page.on('load', () => loads.push(page.url()))

  api.letGo('lists')
  await expect.poll(async () => namesOn(searching)).toHaveLength(12)
  expect(await saidOn(searching)).toBe('12 sales units')
  expect(await wordsOn(searching)).toMatch(soFar)
  await expect.poll(async () => saidOn(orders)).toBe('33 product orders')
  await expect.poll(async () => wordsOn(empty)).toContain('No sales units yet')
  await expect.poll(async () => wordsOn(found)).toContain('Sales units 1 Bergen Fitness Sentrum')
  // A list is shown while it is still written, and says so until it has been.
  for (const page of all) await expect.poll(async () => wordsOn(page)).not.toContain(beingRead)
  expect(await focusedOn(searching).getAttribute('id')).toBe('find')
  expect(await focusedOn(searching).inputValue()).toBe('tromsø')
  expect(await focusedOn(empty).getAttribute('id')).toBe('main')
  expect(loads).toEqual([])

  // The filter that has come with the list is one like any other.
  await filterOf(searching).fill('bergen')
  await expect.poll(async () => namesOn(searching)).toEqual(['Bergen Fitness Sentrum'])
})

it('what comes in bit by bit leaves alone what somebody does with the list meanwhile', async () => {
  const { context, page: typing } = await signedIn('Åse Bjørk')
  const [walking, unit] = await Promise.all([context.newPage(), context.newPage()])
  await Promise.all([typing.goto(small), walking.goto(small), unit.goto(`${small}/123789`)])
  expect(await wordsOn(typing)).toMatch(soFar)
  expect(await wordsOn(typing)).toContain('Not read yet')
  expect(await unit.locator('h1').innerText()).toBe('Bergen Fitness Sentrum')
  expect(await wordsOn(unit)).toContain('They appear here as soon as they have been.')

  // The list as it was without a filter is on its way when somebody begins to type.
  const { asked, letGo } = await holdBack(typing, small)
  await asked
  await filterOf(typing).fill('bergen')
  await expect.poll(async () => saidOn(typing)).toBe('1 of 12 sales units matches “bergen”')
  await letGo()
  expect(await namesOn(typing)).toEqual(['Bergen Fitness Sentrum'])
  await filterOf(walking).press('ArrowDown')
  const row = await focusedOn(walking).innerText()

  api.letGo('details')
  for (const page of [typing, walking]) await expect.poll(async () => wordsOn(page)).not.toMatch(soFar)
  expect(await wordsOn(typing)).toContain('ACME Fantastic Fitness AS')
  expect([addressOf(typing), await filterOf(typing).inputValue()]).toEqual([`${small}?q=bergen`, 'bergen'])
  expect(await focusedOn(typing).getAttribute('id')).toBe('q')
  expect(await focusedOn(walking).innerText()).toBe(row)
  await walking.keyboard.press('Escape')
  await expect.poll(async () => wordsOn(walking)).not.toContain('Not read yet')
  await expect.poll(async () => wordsOn(unit)).toContain('What it may do')
  expect(await unit.getByRole('button', { name: 'Copy MSN' }).isVisible()).toBe(true)
})
