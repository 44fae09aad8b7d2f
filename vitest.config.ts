import { configDefaults, defineConfig } from 'vitest/config'

/** What holds for quick, long and browser tests. */
export const shared = {
  testTimeout: 20_000,
  // The one second that is vitest's own is too short where every worker starts a portal.
  expect: { poll: { timeout: 15_000 } },
  // A portal starts in one or two seconds, and in many more where every worker starts one.
  hookTimeout: 60_000,
  // Files share a process and its modules: each starts servers of its own and shares nothing else, and loading the
  // modules afresh for every file would take longer than most files.
  isolate: false,
  globalSetup: 'test/support/global-setup.ts',
  // Much of a test is waiting (for retries, for a process to start), so more of them than there are cores.
  maxWorkers: 4,
}

export default defineConfig({
  test: {
    ...shared,
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/browser/**', 'test/**/*.slow.test.ts'],
  },
})
