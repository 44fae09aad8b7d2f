import { z } from 'zod'

/** The parts of an error response that are kept. */
export type Problem = { readonly title?: string | undefined; readonly traceId?: string | undefined }

const word = z.string().optional().catch(undefined)
// RFC 7807, and the error of RFC 6749, 5.2, from the token endpoint of management credentials.
const schema = z.object({ title: word, traceId: word, error: word })

/**
 * Parses a problem body (RFC 7807) leniently: members may be missing or of another type, and nothing is kept of an HTML
 * page from a gateway.
 * @param secrets the secrets of the request, redacted in case a gateway quotes them
 * @returns title and traceId, each cut to 200 characters
 */
export function readProblem(body: string, secrets: readonly string[]): Problem {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return {}
  }
  const { data } = schema.safeParse(json)
  return { title: cut(data?.title ?? data?.error, secrets), traceId: cut(data?.traceId, secrets) }
}

function cut(value: string | undefined, secrets: readonly string[]): string | undefined {
  return secrets
    .filter((secret) => secret !== '')
    .reduce<string | undefined>((kept, secret) => kept?.replaceAll(secret, '[redacted]'), value)
    ?.slice(0, 200)
}

/**
 * Retry-After (RFC 9110, 10.2.3), seconds or an HTTP date, in milliseconds from `now`. Undefined when absent or
 * invalid; 0 for a past date.
 */
export function retryAfterMs(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
