import { expect } from 'vitest'
import type { Browser, Visit } from './browser.ts'

const callback = '/auth/callback'

/** Starts a sign-in, as in a new tab, and stops before the eID. */
export async function startTab(browser: Browser, path = '/login'): Promise<URL> {
  const page = await browser.open(path, { follow: false })
  expect(page.status).toBe(302)
  return new URL(String(page.headers['location']))
}

/** Signs in at the demo eID with this button if it asks, and returns the callback URL without opening it. */
export async function throughEid(browser: Browser, at: URL, button: string): Promise<URL> {
  const list = await browser.open(at.href, { until: callback })
  const last = list.status === 200 ? await browser.press(button, { until: callback }) : list
  const answer = new URL(String(last.headers['location']))
  expect(answer.pathname).toBe(callback)
  return answer
}

/** Status, heading and buttons of an error page. Fails unless it has a text, a reference and no internals. */
export function errorPageOf(page: Visit): [status: number, heading: string, ...buttons: string[]] {
  expect(page.$('main .ds-paragraph').text().length).toBeGreaterThan(20)
  expect(page.words).toMatch(/Reference: [\da-f-]{36}/)
  expect(page.text).not.toMatch(/Error|\bat .*:\d+:\d+|node_modules|undefined|\[object/)
  const buttons = page.$('main a.ds-button, main button:not(.copy)').toArray()
  return [page.status, page.$('h1').text(), ...buttons.map((element) => page.$(element).text())]
}

/** The target of the button of an error page. */
export function buttonOf(page: Visit): string {
  return String(page.$('main a.ds-button').attr('href'))
}
