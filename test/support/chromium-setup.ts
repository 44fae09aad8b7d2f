import { chromium } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { chromiumPath, quietly } from './chromium.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the one Chromium of this run listens. */
    chromium: string
  }
}

/** One Chromium for all files, with an empty profile that goes away at the end. Without one, no test runs. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const server = await chromium.launchServer({
    executablePath: chromiumPath(),
    args: quietly,
    // Vitest stops what it has started itself.
    handleSIGINT: false,
    handleSIGTERM: false,
  })
  provide('chromium', server.wsEndpoint())
  return async () => server.close()
}
