import { z } from 'zod'

/** What is kept of an answer that is not a success. */
export type Problem = { readonly title?: string | undefined; readonly traceId?: string | undefined }

const word = z.string().optional().catch(undefined)
// RFC 7807, and the error of RFC 6749, 5.2, from the token endpoint of management keys.
const schema = z.object({ title: word, traceId: word, error: word })

/**
 * Reads a problem body (RFC 7807) for as much as it has: members may be missing or of another type, and now and
 * then a gateway answers HTML, of which nothing is kept.
 * @param secrets what the request carried; a gateway that quotes it back does not get it into the log
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
 * Retry-After (RFC 9110, 10.2.3) in milliseconds from `now`: seconds, or an HTTP date. Undefined when there is
 * none or it is neither; 0 for a date that has passed.
 */
export function retryAfterMs(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
