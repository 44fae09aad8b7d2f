import { fileURLToPath } from 'node:url'
import type { BrowserContext, Page, Request } from 'playwright-core'

/** Errors in a browser, with the page on which each happened. */
export type Watch = {
  readonly seen: readonly string[]
  /** Ignores errors that the test causes itself, such as the console message about a 404. */
  readonly expect: (what: RegExp) => void
}

const inPage = fileURLToPath(new URL('./in-page.js', import.meta.url))

/**
 * Watches every page of this browser: console errors and warnings, exceptions, violations of the Content Security
 * Policy and of Trusted Types, requests to other origins, failed requests and 5xx responses.
 * @param issuer the eID provider: pages may link to it, and its own pages may load anything
 */
export async function watch(
  context: BrowserContext,
  { url, issuer }: { readonly url: string; readonly issuer: string },
): Promise<Watch> {
  const expected: RegExp[] = []
  const all: string[] = []
  const report = (page: string, what: string): void => {
    all.push(`${page.replace(url, '')}: ${what}`)
  }
  await context.addInitScript({ path: inPage })
  context.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return
    const { url: file, lineNumber } = message.location()
    report(message.page()?.url() ?? file, `console ${message.type()}: ${message.text()} (${file}:${lineNumber})`)
  })
  context.on('weberror', (error) => report(error.page()?.url() ?? '', `exception: ${error.error().message}`))
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin === url || protocol === 'data:' || protocol === 'blob:') return
    const isOfEid = origin === issuer && (request.isNavigationRequest() || pageOf(request).startsWith(issuer))
    if (!isOfEid) report(pageOf(request), `request to elsewhere: ${request.url()}`)
  })
  context.on('requestfailed', (request) => {
    // The browser aborts a request when the user navigates or types on before the response.
    const reason = request.failure()?.errorText ?? ''
    if (reason !== 'net::ERR_ABORTED') report(pageOf(request), `failed: ${request.url()}: ${reason}`)
  })
  context.on('response', (response) => {
    if (response.status() >= 500) report(pageOf(response.request()), `${response.status()} from ${response.url()}`)
  })
  return {
    get seen() {
      return all.filter((what) => !expected.some((pattern) => pattern.test(what)))
    },
    expect: (what) => expected.push(what),
  }
}

function pageOf(request: Request): string {
  try {
    return request.frame().url()
  } catch {
    // The first navigation of a tab has no page yet.
    return 'a new tab'
  }
}

/** The visible text of the main part, white space collapsed. */
export async function wordsOn(page: Page): Promise<string> {
  return (await page.locator('main').innerText()).replace(/\s+/g, ' ').trim()
}
