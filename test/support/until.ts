import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Polls `isSo` until it is true.
 * @throws when it is not true within `deadlineMs`
 */
export async function until(isSo: () => boolean | Promise<boolean>, deadlineMs = 60_000): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not so within ${deadlineMs} ms: ${String(isSo)}`)
    await sleep(20)
  }
}
