import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoWorld } from '../../demo/world.ts'
import type { Visit } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'

const directory = mkdtempSync(join(tmpdir(), 'portal-brand-'))
const logo = join(directory, 'logo.svg')
const drawing = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h2v2z"/></svg>'
writeFileSync(logo, drawing)

async function start(env: Record<string, string>) {
  return startTestPortal({ env, world: createDemoWorld({ salesUnits: 12 }), synced: false })
}

async function sheetOf(test: TestPortal): Promise<{ address: string; css: string }> {
  const { $ } = await test.browser().open('/')
  const address = String($('link[rel=stylesheet]').attr('href'))
  return { address, css: await (await fetch(test.url + address)).text() }
}

function titleOf({ $ }: Visit): string {
  return $('title').text()
}

let plain: TestPortal
let branded: TestPortal
beforeAll(async () => {
  plain = await start({})
  branded = await start({ BRAND_NAME: 'Nordlys & co.', BRAND_LOGO: logo, BRAND_ACCENT: '5b3fa0' })
})
afterAll(async () => {
  await Promise.all([plain.stop(), branded.stop()])
  rmSync(directory, { recursive: true })
})

describe('without a brand', () => {
  it('shows the portal’s own name in the language of the page, and no logo', async () => {
    const browser = plain.browser()
    const english = await browser.open('/')
    expect([english.$('.brand').text(), titleOf(english)]).toEqual(['Partner portal', 'Sign in – Partner portal'])
    expect(english.$('.brand img')).toHaveLength(0)
    const norwegian = await browser.open('/', { headers: { 'Accept-Language': 'nb' } })
    expect(norwegian.$('.brand').text()).toBe('Partnerportal')
    expect((await sheetOf(plain)).css).not.toContain('@layer brand{')
  })
})

describe('with a brand', () => {
  it('shows its name in the top bar, the title and the heading of the front page in every language', async () => {
    for (const language of ['en', 'nb']) {
      const page = await branded.browser().open('/', { headers: { 'Accept-Language': language } })
      expect(page.$('.brand').text()).toBe('Nordlys & co.')
      expect(page.$('h1').text()).toBe('Nordlys & co.')
      expect(titleOf(page)).toMatch(/ – Nordlys & co\.$/)
    }
  })

  it('shows its name on pages of a merchant and on error pages', async () => {
    const browser = await branded.signedIn('Mikko Mäkinen')
    expect((await browser.open('/select')).url.pathname).toMatch(/^\/merchants\//)
    for (const path of ['/select', '/no/such/page', '/profile']) {
      const page = await browser.open(path)
      expect(page.$('.brand').text()).toBe('Nordlys & co.')
      expect(titleOf(page)).toContain('Nordlys & co.')
    }
  })

  it('shows its name in the mail with a code', async () => {
    const browser = branded.browser()
    await browser.signIn('Nils Aas')
    await browser.press('Send me a code')
    const [mail] = branded.inbox.mails
    expect(mail?.subject).toBe('Your code for Nordlys & co.')
    expect(mail?.text).toContain('Someone who is signed in to Nordlys & co. at 127.0.0.1')
  })

  it('serves the logo under a versioned URL, cached for a year', async () => {
    const { $ } = await branded.browser().open('/')
    const image = $('.brand img')
    expect(image.attr('alt')).toBe('')
    const answer = await fetch(branded.url + String(image.attr('src')))
    expect(await answer.text()).toBe(drawing)
    expect(answer.headers.get('content-type')).toMatch(/^image\/svg\+xml/)
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(image.attr('src')).toMatch(/^\/assets\/[\w-]{10}\/brand\/logo\.svg$/)
  })

  it('has the accent colour in a style sheet with another URL, in a layer between theme and layout', async () => {
    const { address, css } = await sheetOf(branded)
    expect(address).not.toBe((await sheetOf(plain)).address)
    expect(css).toMatch(/^@layer ds, theme, brand, portal;/)
    expect(css).toContain('@layer brand{:root{')
    expect(css).toContain('--ds-color-accent-base-default:light-dark(#5b3fa0,')
  })

  it('has the same content security policy and nothing inline', async () => {
    const policyOf = async (test: TestPortal) =>
      String((await fetch(test.url)).headers.get('content-security-policy')).replaceAll(test.issuer, 'eid')
    expect(await policyOf(branded)).toBe(await policyOf(plain))
    expect((await branded.browser().open('/')).$('style, [style]')).toHaveLength(0)
  })
})

it('the portal does not start with an accent colour of too little contrast', async () => {
  await expect(start({ BRAND_ACCENT: 'ffcc00' })).rejects.toThrow(
    /BRAND_ACCENT #ffcc00 has a contrast of 1\.36:1 to the page in light colours; at least 3:1 is required: the nearest valid colour is #[\da-f]{6}$/,
  )
})
