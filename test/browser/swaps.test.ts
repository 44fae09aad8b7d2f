import { describe, expect, it } from 'vitest'
import { addressOf } from '../support/browser/list.ts'
import { browserFixture } from '../support/browser/fixture.ts'

const { signedIn } = browserFixture()

const [partner, smaller] = ['/partners/23456', '/partners/12345']
const lists = [
  ...['product-orders', 'sales-units', 'merchants', 'price-packages', 'developers/webhooks'].map(
    (list) => `${partner}/${list}`,
  ),
  `${smaller}/templates`,
]

describe.each(lists)('after each filter, order and page of %s', (list) => {
  it('the page is the same as after a reload, and nothing has moved', async () => {
    const { page } = await signedIn('Åse Bjørk')
    const outline = async () => page.evaluate<string[]>('inPage.outline()')
    const places = async () => page.evaluate<string[]>('inPage.places()')
    const press = async (selector: string) =>
      page.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`)
    await page.goto(list)
    const controls = await page.evaluate<string[]>('inPage.controls()')
    expect(controls.length).toBeGreaterThan(0)
    for (const control of controls) {
      await page.goto(list)
      const [before, placesBefore] = [addressOf(page), await places()]
      await page.evaluate('inPage.forgetShifts()')
      await press(control)
      await expect.poll(() => addressOf(page)).not.toBe(before)
      await expect.poll(async () => page.locator('#results').getAttribute('aria-busy')).toBe(null)
      expect([control, await page.evaluate<string[]>('inPage.shifted()')]).toEqual([control, []])
      // A list without rows has no heads.
      const there = await places()
      const heads = placesBefore.filter((place) => there.some((other) => other.split(':')[0] === place.split(':')[0]))
      expect([control, there]).toEqual([control, heads])
      const swapped = await outline()
      await page.reload()
      expect([control, ...swapped]).toEqual([control, ...(await outline())])
    }
  })
})
