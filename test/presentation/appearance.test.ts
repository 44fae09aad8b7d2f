import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import type { Browser, Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

let test: TestPortal
let kari: Browser
beforeAll(async () => {
  test = await startTestPortal({ world: createDemoWorld({ salesUnits: 12 }) })
  kari = await test.signedIn('Kari Nordmann')
})
afterAll(async () => test.stop())

function of({ $ }: Visit) {
  return {
    scheme: $('html').attr('data-color-scheme'),
    schemes: $('meta[name=color-scheme]').attr('content'),
    colors: $('meta[name=theme-color]')
      .toArray()
      .map((meta) => [$(meta).attr('media'), $(meta).attr('content')]),
    pressed: $('.segments [aria-pressed=true]').text(),
  }
}

const automatic = {
  scheme: 'auto',
  schemes: 'light dark',
  colors: [
    ['(prefers-color-scheme: light)', '#ffffff'],
    ['(prefers-color-scheme: dark)', '#17181a'],
  ],
}

it('the appearance follows the system by default', async () => {
  expect(of(await kari.open('/profile'))).toEqual({ ...automatic, pressed: 'Automatic' })
  expect(of(await test.browser().open('/'))).toEqual({ ...automatic, pressed: '' })
})

describe('a chosen appearance', () => {
  it('applies to every page, returns to the current page, and lasts a year', async () => {
    await kari.open('/partners/12345/sales-units?q=fjord')
    const dark = await kari.press('Dark')
    expect(dark.url.pathname + dark.url.search).toBe('/partners/12345/sales-units?q=fjord')
    const expected = { scheme: 'dark', schemes: 'dark', colors: [[undefined, '#17181a']], pressed: 'Dark' }
    expect(of(dark)).toEqual(expected)
    for (const path of ['/profile', '/no/such/page', '/partners/12345'])
      expect(of(await kari.open(path))).toEqual(expected)
    const answer = await kari.press('Light', { follow: false })
    expect(answer.status).toBe(303)
    expect(String(answer.headers['set-cookie'])).toMatch(
      /appearance=light; Max-Age=31536000; Path=\/; .*HttpOnly; SameSite=Lax/,
    )
    expect(of(await kari.open('/profile'))).toMatchObject({ scheme: 'light', schemes: 'light' })
    await kari.press('Automatic')
    expect(of(await kari.open('/profile'))).toMatchObject(automatic)
  })

  it('outlasts the session', async () => {
    const someone = await test.signedIn('Kari Nordmann')
    await someone.open('/profile')
    await someone.press('Dark')
    await someone.open('/profile')
    await someone.press('Sign out')
    expect(of(await someone.open('/register'))).toMatchObject({ scheme: 'dark' })
  })

  it.each(['', 'sepia', '__proto__', 'dark" onload="alert(1)'])('of %j is ignored', async (value) => {
    const someone = await test.signedIn('Kari Nordmann')
    const token = String((await someone.open('/profile')).$('input[name=_csrf]').first().val())
    expect((await someone.post('/appearance', { _csrf: token, appearance: value })).status).toBe(400)
    someone.plant('appearance', encodeURIComponent(value))
    expect(of(await someone.open('/profile'))).toMatchObject(automatic)
  })

  it('ignores an unsafe return path', async () => {
    const token = String((await kari.open('/profile')).$('input[name=_csrf]').first().val())
    const form = { _csrf: token, appearance: 'auto', returnTo: 'https://elsewhere.example/' }
    const answer = await kari.post('/appearance', form, { follow: false })
    expect(answer.headers['location']).toBe('/select')
  })
})

it('the theme-color is the colour of the top bar', async () => {
  const { $ } = await kari.open('/profile')
  const css = await (await fetch(test.url + String($('link[rel=stylesheet]').attr('href')))).text()
  const barOf = (scheme: string) =>
    new RegExp(`\\[data-color-scheme=${scheme}\\]\\{[^}]*--ds-color-neutral-background-default:(#[\\da-f]+)`).exec(
      css,
    )?.[1]
  expect([barOf('light'), barOf('dark')]).toEqual(['#fff', '#17181a'])
})

it('the dark colours apply to screens only, not to print', async () => {
  const { $ } = await kari.open('/profile')
  const css = await (await fetch(test.url + String($('link[rel=stylesheet]').attr('href')))).text()
  expect(css).toContain('@media screen{@layer ds.theme.color-scheme.dark{[data-color-scheme=dark]{')
})
