import { expect, it } from 'vitest'
import { focusedOn, small } from '../support/browser/list.ts'
import { browserFixture } from '../support/browser/fixture.ts'

const { signedIn } = browserFixture()

it.each([
  ['', ['clipboard-read', 'clipboard-write']],
  [', also where the browser refuses pages the clipboard', []],
])('a copy button copies its value and says so%s', async (_, permissions) => {
  const { page } = await signedIn('Åse Bjørk', { permissions })
  await page.goto(`${small}/150666`)
  await page.getByRole('button', { name: 'Copy MSN' }).click()
  const copied = page.getByRole('button', { name: 'Copied', exact: true })
  await expect.poll(async () => copied.count()).toBe(1)
  expect(await focusedOn(page).getAttribute('data-copy')).toBe('150666')
  await page.locator('#find').focus()
  await page.keyboard.press('Control+v')
  expect(await page.locator('#find').inputValue()).toBe('150666')
})
