import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: 'test/support/global-setup.ts',
    include: ['test/**/*.test.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Files share a process and its modules: each starts servers of its own and shares nothing else, and loading the
    // modules afresh for every file would take longer than most files.
    isolate: false,
    // Much of a test is waiting (for retries, for a process to start), so more of them than there are cores.
    maxWorkers: 3,
    // The embedded database lives for seconds: optimising its WebAssembly costs more than it gives.
    execArgv: ['--liftoff-only'],
  },
})
