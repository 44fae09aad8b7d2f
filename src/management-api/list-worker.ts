import { parentPort, workerData } from 'node:worker_threads'

/** What the worker is given: an answer's body, and where in it the list is. */
export type ListSource = { readonly bytes: Uint8Array<ArrayBuffer>; readonly member: string | undefined }

/** What it says: some rows of the list, that these were all, or what the body is instead. */
export type ListPiece =
  { readonly rows: readonly unknown[] } | 'end' | 'the answer is not JSON' | 'the answer is not a list'

const rowsInPiece = 500

/** The list inside an answer; undefined when there is none. */
const listIn = (answer: unknown, member: string | undefined): unknown[] | undefined => {
  const inside: unknown =
    member === undefined
      ? answer
      : typeof answer === 'object' && answer !== null
        ? Object.entries(answer).find(([name]) => name === member)?.[1]
        : undefined
  return Array.isArray(inside) ? inside : undefined
}

/** All that is said, in order. */
function* pieces({ bytes, member }: ListSource): Generator<ListPiece> {
  let answer: unknown
  try {
    answer = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return yield 'the answer is not JSON'
  }
  const list = listIn(answer, member)
  if (!list) return yield 'the answer is not a list'
  for (let start = 0; start < list.length; start += rowsInPiece)
    yield { rows: list.slice(start, start + rowsInPiece) }
  return yield 'end'
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- list-elsewhere.ts makes it, and nobody else
const all = pieces(workerData as ListSource)
// One piece a question: many at once would all be read in one turn of the event loop there.
parentPort?.on('message', () => {
  const { value, done } = all.next()
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  if (!done) parentPort?.postMessage(value)
})
