/** Stops in order at SIGTERM or SIGINT and exits: 0 on success, 1 on failure. A second signal exits at once. */
export function stopOnSignals(stop: () => Promise<void>): void {
  const begin = (): void => {
    process.once('SIGTERM', () => process.exit(1))
    process.once('SIGINT', () => process.exit(1))
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGTERM', begin)
  process.once('SIGINT', begin)
}
