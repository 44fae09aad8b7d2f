import { EidAnswerError } from '../errors.ts'

/** The maximum size of a response: discovery, keys, tokens and userinfo are a few kB each. */
const maxBytes = 256 * 1024

type FetchOptions = Omit<RequestInit, 'signal' | 'body'> & {
  readonly signal?: AbortSignal | null | undefined
  readonly body?: unknown
}

/** The `fetch` that openid-client and jose are given. */
export type ProviderFetch = (url: string, options?: FetchOptions) => Promise<Response>

/**
 * Creates the `fetch` for all requests to the eID provider. It limits time and size of the whole response, and follows
 * no redirect, which would carry secrets and codes along.
 * @param timeoutMs for the whole response
 * @returns a Response whose body is in memory
 * @throws EidAnswerError for a response that is too long; errors of `fetch`, such as TimeoutError
 */
export function createProviderFetch(timeoutMs: number): ProviderFetch {
  return async (url, options = {}) => {
    const signals = [AbortSignal.timeout(timeoutMs), ...(options.signal ? [options.signal] : [])]
    const response = await fetch(url, {
      ...(options as RequestInit),
      redirect: 'manual',
      signal: AbortSignal.any(signals),
    })
    const body = await readAtMost(response, maxBytes)
    const { status, statusText } = response
    const headers = new Headers(response.headers)
    // The body is already decoded.
    headers.delete('content-encoding')
    headers.delete('content-length')
    return new Response([204, 205, 304].includes(status) ? null : body, { status, statusText, headers })
  }
}

async function readAtMost(response: Response, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length
    // Leaving the loop cancels the stream.
    if (length > most) throw new EidAnswerError(`response larger than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
