import { expect, it } from 'vitest'
import { signIn, browserFixture } from '../support/browser/fixture.ts'
import { follow } from '../support/browser/list.ts'
import { wordsOn } from '../support/browser/watch.ts'

const { portal, signedOut, signedIn } = browserFixture()

it('a user signs in with the eID, gets the requested page, and signs out', async () => {
  const { page } = await signedOut()
  await page.goto('/partners/12345/price-packages?a=b')
  expect(new URL(page.url()).pathname).toBe('/')
  await signIn(page, 'Kari Nordmann', portal())
  expect(page.url()).toBe(`${portal().url}/partners/12345/price-packages?a=b`)
  expect(await page.title()).toContain('Nordlys Platform AS')

  await page.getByRole('button', { name: 'Kari Nordmann' }).click()
  await follow(page.getByRole('button', { name: 'Sign out', exact: true }))
  await page.waitForURL(`${portal().url}/`)
  expect(await wordsOn(page)).toContain('Sign in with eID')
  await page.goBack()
  expect(await wordsOn(page)).not.toContain('kari.nordmann')
})

it('a user without a verified e-mail address verifies it first', async () => {
  const { page } = await signedOut()
  await page.goto('/')
  await signIn(page, 'Nils Aas', portal())
  expect(await page.title()).toContain('Nordlys Platform AS')
})

it('going back to a mistyped address or code shows the form with its error', async () => {
  const { page, watched } = await signedIn('Kari Nordmann')
  watched.expect(/status of 400/)
  const comeBack = async () => {
    await page.goto('/profile')
    await page.goBack()
  }
  await page.goto('/verify-email?returnTo=/profile')
  // The browser's own check is not the last one.
  await page.locator('form.stack').evaluate((form) => form.setAttribute('novalidate', ''))
  await page.getByLabel('Email address').fill('kari@nowhere')
  await follow(page.getByRole('button', { name: 'Send me a code' }))
  await comeBack()
  expect(await page.locator('#email-problem').innerText()).toContain('name@example.com')
  expect(await page.getByLabel('Email address').inputValue()).toBe('kari@nowhere')

  await page.getByLabel('Email address').fill('kari@example.com')
  await follow(page.getByRole('button', { name: 'Send me a code' }))
  await page.getByLabel('Code').fill('12345')
  await follow(page.getByRole('button', { name: 'Verify' }))
  await comeBack()
  expect(await page.locator('#code-problem').innerText()).toContain('all 6 digits')
  expect(await page.getByLabel('Code').inputValue()).toBe('')
})

it('two tabs of one browser can show two organisations', async () => {
  const { context, page: one } = await signedIn('Åse Bjørk')
  const two = await context.newPage()
  await Promise.all([one.goto('/partners/12345'), two.goto('/partners/12345')])
  await two.locator('.switch').click()
  await follow(two.getByRole('link', { name: 'See all businesses' }))
  await follow(two.getByRole('link', { name: /Fjordkasse/ }))
  const pages = [
    [one, 'Nordlys Platform AS', '/partners/12345'],
    [two, 'Fjordkasse', '/partners/23456'],
  ] as const
  const lists = ['Sales units', 'Product orders', 'Price packages']
  for (const name of lists) {
    await Promise.all(
      pages.map(async ([tab]) => follow(tab.locator('.menu').getByRole('link', { name, exact: false }))),
    )
    await Promise.all([one.reload(), two.reload()])
    for (const [tab, who, base] of pages) {
      expect(new URL(tab.url()).pathname.startsWith(`${base}/`)).toBe(true)
      expect(await tab.locator('.side strong').first().innerText()).toContain(who)
      expect(await tab.title()).toContain(who)
      const links = await tab
        .locator('main a[href^="/partners/"]')
        .evaluateAll((all) => all.map((link) => link.getAttribute('href')))
      expect(links.filter((href) => !href?.startsWith(base))).toEqual([])
    }
  }
})
