import { once } from 'node:events'
import { setImmediate as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { ListPiece, ListSource } from './list-worker.ts'
import { UnreadableListError } from './parse.ts'

/** Bytes. A body that is shorter is parsed in less time than a frame of a film lasts. */
const longBody = 500_000
/** What the thread's young objects may take: it makes many at once, and would else be given far more than it needs. */
const youngMb = 16

/** Whether parsing this body would hold up everybody else. */
export const isLong = (body: Buffer): boolean => body.byteLength > longBody

/** Lists are parsed one after the other: several at once would take the processor from the pages. */
let last: Promise<void> = Promise.resolve()

/**
 * Decodes and parses a long answer in a thread of its own, and hands out its list a few rows at a time.
 * @throws UnreadableListError; the signal's reason; what the thread dies of
 */
export async function* listElsewhere(
  { body, member }: { readonly body: Buffer; readonly member: string | undefined },
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly unknown[]> {
  const turn = Promise.withResolvers<void>()
  const before = last
  last = turn.promise
  let worker: Worker | undefined
  try {
    await before
    signal?.throwIfAborted()
    // Given away, not copied; a buffer's memory may be shared with others.
    const bytes = new Uint8Array(body)
    worker = new Worker(new URL('./list-worker.ts', import.meta.url), {
      execArgv: [],
      workerData: { bytes, member } satisfies ListSource,
      transferList: [bytes.buffer],
      resourceLimits: { maxYoungGenerationSizeMb: youngMb },
    })
    for (;;) {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage('next')
      const [piece] = (await once(worker, 'message', signal ? { signal } : {})) as [ListPiece]
      if (piece === 'end') return
      if (typeof piece === 'string') throw new UnreadableListError(piece)
      yield piece.rows
      await pause()
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    await worker?.terminate()
    turn.resolve()
  }
}
