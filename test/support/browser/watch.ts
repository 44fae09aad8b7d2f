import { fileURLToPath } from 'node:url'
import type { BrowserContext, Page, Request } from 'playwright-core'

/** Everything in a browser that no page may do, in words, with the page on which it happened. */
export type Watch = {
  readonly seen: readonly string[]
  /** What this test brings about itself, such as the console's line on a page that is not there. */
  readonly expect: (what: RegExp) => void
}

const inPage = fileURLToPath(new URL('./in-page.js', import.meta.url))

/**
 * Watches every page of this browser: errors and warnings in the console, exceptions, violations of the
 * Content-Security-Policy and of Trusted Types, requests to elsewhere, requests that fail, answers of 5xx.
 * @param issuer the eID provider: may be gone to, and may load what it likes on pages of its own
 */
export async function watch(
  context: BrowserContext,
  { url, issuer }: { readonly url: string; readonly issuer: string },
): Promise<Watch> {
  const expected: RegExp[] = []
  const all: string[] = []
  const tell = (page: string, what: string): void => {
    all.push(`${page.replace(url, '')}: ${what}`)
  }
  await context.addInitScript({ path: inPage })
  context.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return
    const { url: file, lineNumber } = message.location()
    tell(message.page()?.url() ?? file, `console ${message.type()}: ${message.text()} (${file}:${lineNumber})`)
  })
  context.on('weberror', (error) => tell(error.page()?.url() ?? '', `exception: ${error.error().message}`))
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin === url || protocol === 'data:' || protocol === 'blob:') return
    const isOfEid = origin === issuer && (request.isNavigationRequest() || pageOf(request).startsWith(issuer))
    if (!isOfEid) tell(pageOf(request), `request to elsewhere: ${request.url()}`)
  })
  context.on('requestfailed', (request) => {
    // Whoever goes on before a page has come, or types on before an answer has, gives a request up.
    const reason = request.failure()?.errorText ?? ''
    if (reason !== 'net::ERR_ABORTED') tell(pageOf(request), `failed: ${request.url()}: ${reason}`)
  })
  context.on('response', (response) => {
    if (response.status() >= 500) tell(pageOf(response.request()), `${response.status()} from ${response.url()}`)
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
    // The navigation that opens a tab has no page yet.
    return 'a new tab'
  }
}

/** What a page shows of itself: the words of its main part, white space folded. */
export async function wordsOn(page: Page): Promise<string> {
  return (await page.locator('main').innerText()).replace(/\s+/g, ' ').trim()
}
