import { ConfigurationError, readConfig } from './config.ts'
import { PortalError } from './errors.ts'
import { startPortal } from './portal.ts'

/** The process: configuration, start, signals, exit codes. */
const main = async (): Promise<void> => {
  const portal = await startPortal(readConfig())
  const stop = (): void => {
    // A second signal means now.
    process.once('SIGTERM', () => process.exit(1))
    process.once('SIGINT', () => process.exit(1))
    portal.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

try {
  await main()
} catch (error) {
  // Said before there is a log, or about why there is none: words, not a stack.
  const expected = error instanceof ConfigurationError || error instanceof PortalError
  console.error(expected ? error.message : error)
  process.exit(1)
}
