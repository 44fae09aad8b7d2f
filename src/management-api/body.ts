import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'

/** Thrown for a body over its limit; the message is for the log. */
export class TooLargeError extends Error {}

/** From this size on a body grows in place: joining its chunks at the end would take the memory twice. */
const largeBytes = 8 * 1024 * 1024

/** Bytes of all responses that this process is reading or parsing. */
let bytesInFlight = 0

/**
 * Reads a decompressed body up to its limits.
 * @throws TooLargeError when it, or all bodies in flight together, would be too large; errors of the stream
 */
export async function readBody(
  response: Response,
  { maxBytes, maxBytesInFlight }: { readonly maxBytes: number; readonly maxBytesInFlight: number },
): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let large: ArrayBuffer | undefined
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      bytesInFlight += chunk.byteLength
      if (bytes > maxBytes) throw new TooLargeError('response too large')
      if (bytesInFlight > maxBytesInFlight) throw new TooLargeError('too many bytes in flight')
      chunks.push(chunk)
      if (bytes < largeBytes) continue
      large ??= new ArrayBuffer(0, { maxByteLength: maxBytes })
      for (const added of chunks.splice(0)) append(large, added)
    }
    return large ? Buffer.from(large, 0, bytes) : Buffer.concat(chunks)
  } finally {
    bytesInFlight -= bytes
  }
}

function append(buffer: ArrayBuffer, chunk: Uint8Array): void {
  const at = buffer.byteLength
  buffer.resize(at + chunk.byteLength)
  new Uint8Array(buffer).set(chunk, at)
}

/** A digest of the body, computed in turns of about a millisecond. */
export async function digestOfBody(body: Buffer): Promise<string> {
  const hash = createHash('sha1')
  for (let at = 0; at < body.length; at += digestBytes) {
    if (at > 0) await setImmediate()
    hash.update(body.subarray(at, at + digestBytes))
  }
  return hash.digest('base64url')
}

const digestBytes = 1024 * 1024

/** Counts a body as in flight while `work` parses it. */
export async function whileInFlight<T>({ byteLength }: Buffer, work: () => Promise<T>): Promise<T> {
  bytesInFlight += byteLength
  try {
    return await work()
  } finally {
    bytesInFlight -= byteLength
  }
}
