import { chromium } from 'playwright-core'
import type { TestProject } from 'vitest/node'
import { chromiumPath, chromiumArgs } from './chromium.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The WebSocket endpoint of this run's Chromium. */
    chromium: string
  }
}

/** Launches one Chromium for all test files, with a temporary profile. Without Chromium no test runs. */
export default async ({ provide }: TestProject): Promise<() => Promise<void>> => {
  const server = await chromium.launchServer({
    executablePath: chromiumPath(),
    args: chromiumArgs,
    // Vitest stops the server in the teardown.
    handleSIGINT: false,
    handleSIGTERM: false,
  })
  provide('chromium', server.wsEndpoint())
  return async () => server.close()
}
