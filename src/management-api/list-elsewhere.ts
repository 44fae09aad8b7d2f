import { once } from 'node:events'
import { setImmediate as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { ListPiece, ListSource } from './list-worker.ts'

/** Characters. A body that is shorter is parsed in less time than a frame of a film lasts. */
const longBody = 500_000

/** Whether parsing this body would hold up everybody else. */
export const isLong = (body: string): boolean => body.length > longBody

/**
 * Parses a long answer in a thread of its own, and takes over its list a few rows at a time.
 * @returns the list; 'no JSON' or 'no list' when that is what the body is
 * @throws the signal's reason; what the thread dies of
 */
export const parseListElsewhere = async (
  source: ListSource,
  signal: AbortSignal | undefined,
): Promise<readonly unknown[] | 'no JSON' | 'no list'> => {
  signal?.throwIfAborted()
  const worker = new Worker(new URL('./list-worker.ts', import.meta.url), {
    execArgv: [],
    workerData: source,
  })
  try {
    const rows: unknown[] = []
    for (;;) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage('next')
      const [piece] = (await once(worker, 'message', signal ? { signal } : {})) as [ListPiece]
      if (piece === 'end') return rows
      if (typeof piece === 'string') return piece
      rows.push(...piece.rows)
      await pause()
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    await worker.terminate()
  }
}
