import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const places = ['chromium', 'chromium-browser', 'google-chrome-stable'].map((name) => `/usr/bin/${name}`)

/** Thrown when there is no Chromium; it is one line, which a stack would only bury. */
export class NoChromiumError extends Error {
  override readonly name = 'NoChromiumError'
  override readonly stack = `${this.name}: ${this.message}`
}

/**
 * Where the system has Chromium: CHROMIUM_PATH, or where distributions put it.
 * @throws NoChromiumError when there is none
 */
export function chromiumPath(): string {
  const told = process.env['CHROMIUM_PATH']
  const path = (told ? [told] : places).find(existsSync)
  if (!path) throw new NoChromiumError('There is no Chromium here: install the package chromium, or set CHROMIUM_PATH.')
  return path
}

/** Nothing of the browser itself goes out on the network. */
export const quietly = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/**
 * The system's Chromium without a screen, with an empty profile of its own.
 * @param more switches of the command line
 */
export async function launchChromium(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), headless: true, args: [...quietly, ...more] })
}
