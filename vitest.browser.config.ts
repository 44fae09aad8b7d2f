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
    // A page may take its time where everything runs at once; a poll that is going to fail is rare.
    expect: { poll: { timeout: 15_000 } },
  },
})
