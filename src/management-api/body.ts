/** Thrown for a body that is longer than it may be; the message is for the log. */
export class TooLargeError extends Error {}

/** Bytes of all answers that this process is reading or parsing. */
let bytesInFlight = 0

/**
 * Reads a body, unpacked, up to its limits.
 * @throws TooLargeError when it, or all that are in flight together, would be too large; what the stream throws
 */
export async function readBody(
  response: Response,
  { maxBytes, maxBytesInFlight }: { readonly maxBytes: number; readonly maxBytesInFlight: number },
): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      bytesInFlight += chunk.byteLength
      if (bytes > maxBytes) throw new TooLargeError('answer too large')
      if (bytesInFlight > maxBytesInFlight) throw new TooLargeError('too many bytes in flight')
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } finally {
    bytesInFlight -= bytes
  }
}

/** Counts a body as in flight while `work` parses it. */
export async function whileInFlight<T>({ byteLength }: Buffer, work: () => Promise<T>): Promise<T> {
  bytesInFlight += byteLength
  try {
    return await work()
  } finally {
    bytesInFlight -= byteLength
  }
}
