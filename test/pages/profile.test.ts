import { afterAll, beforeAll, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import { wordsOf } from '../support/page-content.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 1 }) })
})
afterAll(async () => test.stop())

it('the page shows identity, access, notifications and sessions, and the user ID at the bottom', async () => {
  const page = await (await test.signedIn('Kari Nordmann')).open('/profile')
  const headings = page
    .$('main h1, main h2')
    .toArray()
    .map((heading) => wordsOf(page.$(heading)))
  expect(headings).toEqual(['Profile', 'Your access', 'Notifications', 'Where you are signed in', 'User ID'])
  expect(page.$('main section').last().find('button:contains("Copy both")').attr('data-copy')).toBe(
    `User ID: ${test.userId('Kari Nordmann')}\nEmail address: kari.nordmann@nordlys.example`,
  )
  const variants = page
    .$('main .sessions .ds-button')
    .toArray()
    .map((button) => page.$(button).attr('data-variant'))
  expect(variants).not.toContain('tertiary')
})

it('the page leads back to where the user came from, also after a form and a change of the address', async () => {
  const åse = await test.signedIn('Åse Bjørk')
  await åse.open('/partners/23456/sales-units?q=kiosk')
  const profile = await åse.follow('Profile')
  const back = () => åse.follow('Back to Sales units, Fjordkasse & Sønner POS AS')
  expect(profile.$('main .back a').attr('href')).toBe('/partners/23456/sales-units?q=kiosk')
  expect((await back()).url.search).toBe('?q=kiosk')
  await åse.follow('Profile')
  await åse.press('Save')
  expect((await back()).url.search).toBe('?q=kiosk')
  await åse.follow('Profile')
  await åse.follow('Change email address')
  await åse.follow('Keep ase.bjork@konsulent.example')
  expect((await back()).url.search).toBe('?q=kiosk')
  await test.signedIn('Åse Bjørk')
  await åse.follow('Profile')
  await åse.press('Sign out all other devices')
  expect((await back()).url.search).toBe('?q=kiosk')
})

it('without a page to go back to, it leads to the organisation of the session, and never elsewhere', async () => {
  const åse = await test.signedIn('Åse Bjørk')
  expect((await åse.open('/profile')).$('main .back')).toHaveLength(0)
  await åse.open('/partners/12345/price-packages')
  for (const path of [
    '/profile',
    '/profile?returnTo=//evil.example',
    '/profile?returnTo=/partners/34567/sales-units',
  ]) {
    const page = await åse.open(path)
    expect([path, page.$('main .back a').attr('href'), wordsOf(page.$('main .back a'))]).toEqual([
      path,
      '/partners/12345',
      'Back to Nordlys Platform AS',
    ])
  }
})
