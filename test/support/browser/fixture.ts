import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest'
import type { Browser as Screenless } from '../browser.ts'
import { mailedCode, startTestPortal, type TestPortal, type TestPortalOptions } from '../portal.ts'
import { type Watch, watch } from './watch.ts'

/** A browser of its own: nothing is shared with another one but what the person is signed in to. */
export type Visitor = {
  readonly context: BrowserContext
  /** The first tab. */
  readonly page: Page
  readonly watched: Watch
}

export type Stage = {
  readonly portal: () => TestPortal
  /** A browser in which nobody is signed in. */
  readonly nobody: (options?: BrowserContextOptions) => Promise<Visitor>
  /** A browser in which this demo person is signed in, with a verified e-mail address; its page is still empty. */
  readonly signedIn: (name: string, options?: BrowserContextOptions) => Promise<Visitor>
  /** A browser that goes on with the session of one without a screen. */
  readonly as: (browser: Screenless, options?: BrowserContextOptions) => Promise<Visitor>
}

/** Clicks through the demo eID as the person of this name, from the sign-in page, and through the mail if one is sent. */
export async function signIn(page: Page, name: string, portal: TestPortal): Promise<void> {
  await page.getByRole('main').getByRole('link', { name: 'Sign in with eID' }).click()
  await page.getByRole('button', { name }).click()
  await page.waitForURL(`${portal.url}/**`)
  if (new URL(page.url()).pathname !== '/verify-email') return
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await page.getByLabel('Code').fill(mailedCode(portal.inbox))
  await page.getByRole('button', { name: 'Verify' }).click()
  await page.waitForURL((url) => !url.pathname.startsWith('/verify-email'))
}

/**
 * A portal and a Chromium for the tests of one file. Every page of every test is watched, and a test fails at its
 * end when its pages did what no page may do.
 */
export function stage(options: () => TestPortalOptions = () => ({})): Stage {
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

  const nobody = async (contextOptions: BrowserContextOptions = {}): Promise<Visitor> => {
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

  const signedIn: Stage['signedIn'] = async (name, contextOptions = {}) => {
    const known = states.get(name)
    if (known) return nobody({ storageState: known, ...contextOptions })
    const first = await nobody()
    await first.page.goto('/')
    await signIn(first.page, name, portal)
    states.set(name, await first.context.storageState())
    return nobody({ storageState: await first.context.storageState(), ...contextOptions })
  }
  const as: Stage['as'] = async (screenless, contextOptions = {}) => {
    const visitor = await nobody(contextOptions)
    const value = screenless.cookie('portal')
    if (value !== undefined) await visitor.context.addCookies([{ name: 'portal', value, url: portal.url }])
    return visitor
  }
  return { portal: () => portal, nobody, signedIn, as }
}
