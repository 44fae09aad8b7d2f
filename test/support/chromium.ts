import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** The one without a user interface, which is about twice as fast, and those that people have. */
const systemPaths = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome-stable'].map(
  (name) => `/usr/bin/${name}`,
)

/** Thrown when there is no Chromium. It has no stack, so that its message stays one line. */
export class NoChromiumError extends Error {
  override readonly name = 'NoChromiumError'
  override readonly stack = `${this.name}: ${this.message}`
}

/**
 * The path of the system's Chromium: CHROMIUM_PATH, or the usual path of distributions.
 * @throws NoChromiumError when there is none
 */
export function chromiumPath(): string {
  const configured = process.env['CHROMIUM_PATH']
  const path = (configured ? [configured] : systemPaths).find(existsSync)
  if (!path) throw new NoChromiumError('There is no Chromium here: install the package chromium, or set CHROMIUM_PATH.')
  return path
}

/** Arguments that keep the browser itself off the network. */
export const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/**
 * Launches the system's Chromium, headless, with a temporary profile.
 * @param more further command line arguments
 */
export async function launchChromium(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), headless: true, args: [...chromiumArgs, ...more] })
}
