import { defineConfig } from 'vitest/config'
import { shared } from './vitest.config.ts'

/** What takes long: bad weather, walks through every page, and the portal, its commands and the demo as processes. */
export default defineConfig({ test: { ...shared, testTimeout: 120_000, include: ['test/**/*.slow.test.ts'] } })
