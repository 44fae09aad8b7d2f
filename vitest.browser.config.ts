import { defineConfig } from 'vitest/config'
import { shared } from './vitest.config.ts'

/** The tests that need Chromium: `npm run test:browser`. */
export default defineConfig({
  test: {
    ...shared,
    testTimeout: 120_000,
    globalSetup: ['test/support/global-setup.ts', 'test/support/chromium-setup.ts'],
    include: ['test/browser/**/*.test.ts'],
    // What waits is the browser, and it has the other core.
    maxWorkers: 2,
  },
})
