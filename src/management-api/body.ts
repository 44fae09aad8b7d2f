/** Thrown for a body over its limit; the message is for the log. */
export class TooLargeError extends Error {}

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
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      bytesInFlight += chunk.byteLength
      if (bytes > maxBytes) throw new TooLargeError('response too large')
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
