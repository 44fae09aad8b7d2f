import { EidAnswerError } from '../errors.ts'

/** No answer of a provider is longer: discovery, keys, tokens and userinfo are a few kB each. */
const maxBytes = 256 * 1024

type FetchOptions = Omit<RequestInit, 'signal' | 'body'> & {
  readonly signal?: AbortSignal | null | undefined
  readonly body?: unknown
}

/** What openid-client and jose take instead of `fetch`. */
export type ProviderFetch = (url: string, options?: FetchOptions) => Promise<Response>

/**
 * `fetch` for everything that is asked of the eID provider: the whole answer arrives within the time and the size,
 * or there is none, and no redirect is followed, because secrets and codes would go along.
 * @param timeoutMs for the whole answer
 * @returns a Response whose body is in memory
 * @throws EidAnswerError for an answer that is too long; what `fetch` throws, such as TimeoutError
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
    // The body is decoded by now.
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
    // Leaving the loop cancels the stream, so that no more is read.
    if (length > most) throw new EidAnswerError(`an answer of more than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
