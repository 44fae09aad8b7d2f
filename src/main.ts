import { ConfigurationError, readConfig } from './config/config.ts'
import { PortalError } from './errors.ts'
import { type Portal, startPortal } from './portal.ts'
import { stopOnSignals } from './signals.ts'

/** The process: configuration, start, signals, exit codes. */
async function main(): Promise<void> {
  let portal: Portal | undefined
  // From the start: the signal would else end a process that is not ready yet, and has all of this to read anyway.
  process.on('SIGHUP', () => portal?.reload())
  portal = await startPortal(readConfig())
  stopOnSignals(portal.stop)
  // V8 would keep what only the start needed until there is load: 125 MB instead of 110 (decision 0017).
  setTimeout(() => {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }, 2000).unref()
}

try {
  await main()
} catch (error) {
  // Said before there is a log, or about why there is none: words, not a stack.
  const expected = error instanceof ConfigurationError || error instanceof PortalError
  console.error(expected ? error.message : error)
  process.exit(1)
}
