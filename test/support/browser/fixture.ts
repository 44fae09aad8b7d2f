import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest'
import type { Browser as HttpBrowser } from '../browser.ts'
import { mailedCode, startTestPortal, type TestPortal, type TestPortalOptions } from '../portal.ts'
import { follow } from './list.ts'
import { type Watch, watch } from './watch.ts'

/** A separate browser context with its first tab. */
export type Visitor = {
  readonly context: BrowserContext
  readonly page: Page
  readonly watched: Watch
}

/** A portal and a Chromium, with functions that open browser contexts. */
export type BrowserFixture = {
  readonly portal: () => TestPortal
  /** A signed-out browser. */
  readonly signedOut: (options?: BrowserContextOptions) => Promise<Visitor>
  /** A browser with this demo person signed in and verified; its page is still empty. */
  readonly signedIn: (name: string, options?: BrowserContextOptions) => Promise<Visitor>
  /** A browser that continues the session of a `Browser` of test/support/browser.ts. */
  readonly as: (browser: HttpBrowser, options?: BrowserContextOptions) => Promise<Visitor>
}

/** Signs in at the demo eID as this demo person, from the sign-in page, and verifies the e-mail address if needed. */
export async function signIn(page: Page, name: string, portal: TestPortal): Promise<void> {
  await page.getByRole('main').getByRole('link', { name: 'Sign in with eID' }).click()
  await page.getByRole('button', { name }).click()
  await page.waitForURL(`${portal.url}/**`)
  if (new URL(page.url()).pathname !== '/verify-email') return
  await follow(page.getByRole('button', { name: 'Send me a code' }))
  await page.getByLabel('Code').fill(mailedCode(portal.inbox))
  await page.getByRole('button', { name: 'Verify' }).click()
  await page.waitForURL((url) => !url.pathname.startsWith('/verify-email'))
}

/**
 * Starts a portal and connects to Chromium for the tests of one file. Every page is watched; a test fails at its end
 * when one of its pages caused an error.
 */
export function browserFixture(options: () => TestPortalOptions = () => ({})): BrowserFixture {
  let portal: TestPortal
  let browser: Browser
  let visitors: Visitor[] = []
  const states = new Map<string, Awaited<ReturnType<BrowserContext['storageState']>>>()

  beforeAll(async () => {
    ;[portal, browser] = await Promise.all([startTestPortal(options()), chromium.connect(inject('chromium'))])
  })
  afterEach(async () => {
    const there = visitors
    visitors = []
    await Promise.all(there.map(async ({ context }) => context.close()))
    expect(there.flatMap(({ watched }) => watched.seen)).toEqual([])
  })
  afterAll(async () => {
    await browser.close()
    await portal.stop()
  })

  const signedOut = async (contextOptions: BrowserContextOptions = {}): Promise<Visitor> => {
    const context = await browser.newContext({
      baseURL: portal.url,
      viewport: { width: 1280, height: 800 },
      locale: 'en-GB',
      timezoneId: 'Europe/Oslo',
      ...contextOptions,
    })
    context.setDefaultTimeout(30_000)
    const watched = await watch(context, portal)
    const visitor = { context, page: await context.newPage(), watched }
    visitors.push(visitor)
    return visitor
  }

  const signedIn: BrowserFixture['signedIn'] = async (name, contextOptions = {}) => {
    const known = states.get(name)
    if (known) return signedOut({ storageState: known, ...contextOptions })
    const first = await signedOut()
    await first.page.goto('/')
    await signIn(first.page, name, portal)
    states.set(name, await first.context.storageState())
    return signedOut({ storageState: await first.context.storageState(), ...contextOptions })
  }
  const as: BrowserFixture['as'] = async (httpBrowser, contextOptions = {}) => {
    const visitor = await signedOut(contextOptions)
    const value = httpBrowser.cookie('portal')
    if (value !== undefined) await visitor.context.addCookies([{ name: 'portal', value, url: portal.url }])
    return visitor
  }
  return { portal: () => portal, signedOut, signedIn, as }
}
