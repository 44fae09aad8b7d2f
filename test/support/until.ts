import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until `isSo`, asking it again and again.
 * @throws when it is not so within `deadlineMs`
 */
export async function until(isSo: () => boolean | Promise<boolean>, deadlineMs = 60_000): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not so within ${deadlineMs} ms: ${String(isSo)}`)
    await sleep(20)
  }
}
