import { ConfigurationError, readConfig } from './config/config.ts'
import { PortalError } from './errors.ts'
import { type Portal, startPortal } from './portal.ts'
import { stopOnSignals } from './signals.ts'

/** The process: configuration, start, signals, exit codes. */
async function main(): Promise<void> {
  let portal: Portal | undefined
  // Registered first, because SIGHUP would end a process that is still starting.
  process.on('SIGHUP', () => portal?.reload())
  portal = await startPortal(readConfig())
  stopOnSignals(portal.stop)
  // Releases the memory that only the start needed: 110 MB instead of 125 (decision 0017).
  setTimeout(() => {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }, 2000).unref()
}

try {
  await main()
} catch (error) {
  // Expected errors are printed as text, because there may be no log yet.
  const expected = error instanceof ConfigurationError || error instanceof PortalError
  console.error(expected ? error.message : error)
  process.exit(1)
}
