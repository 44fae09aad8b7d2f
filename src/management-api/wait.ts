/** How long the API asks to wait, and why: too many calls a second, a quota that is used up, or maintenance. */
export type Wait = { readonly ms: number; readonly why: 'too fast' | 'quota' | 'unavailable' }

/** The pause when the API names none that can be used, and when a quota is used up. */
const [defaultMs, defaultQuotaMs] = [1000, 60_000]
/** The longest pause at a time after a 429, which calls a second cause, and after anything else. */
const [longestTooFastMs, longestMs] = [60_000, 3_600_000]

/**
 * Whether the API asks to wait: 429, 503 with Retry-After, and 403 with Retry-After or the words of a used-up quota, as
 * Azure API Management sends it. The 403 is no refusal of the credentials.
 */
export function waitOf(status: number, retryAfter: string | null, body: string): Wait | undefined {
  const isQuota = /out of call volume quota/i.test(body)
  const isAsked = status === 429 || (status === 503 && retryAfter !== null)
  if (!isAsked && !(status === 403 && (retryAfter !== null || isQuota))) return undefined
  const asked = retryAfterMs(retryAfter) ?? spokenMs(body)
  if (status === 429 && !isQuota) return { ms: Math.min(asked ?? defaultMs, longestTooFastMs), why: 'too fast' }
  const ms = Math.min(asked ?? (isQuota ? defaultQuotaMs : defaultMs), longestMs)
  return { ms, why: status === 503 ? 'unavailable' : 'quota' }
}

/** A date of HTTP: Sun, 06 Nov 1994 08:49:37 GMT. Date.parse() reads a date into almost any text. */
const httpDate = /^[A-Z][a-z]{2,8},? .*\d\d:\d\d:\d\d/

/**
 * Retry-After (RFC 9110, 10.2.3), seconds or an HTTP date, in milliseconds from `now`. Undefined when it is absent or
 * names no time to come: zero, a fraction, a negative number, a date in the past, nonsense.
 */
export function retryAfterMs(header: string | null, now = Date.now()): number | undefined {
  const value = header?.trim() ?? ''
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : httpDate.test(value) ? Date.parse(value) - now : 0
  return ms > 0 ? ms : undefined
}

/** The time in words: "Try again in 5 seconds.", "Quota will be replenished in 01:00:00." */
function spokenMs(body: string): number | undefined {
  const [, seconds] = /\bin (\d{1,6}) seconds?\b/i.exec(body) ?? []
  const [, hours, minutes, rest] = /\bin (\d{1,3}):(\d\d):(\d\d)\b/i.exec(body) ?? []
  const total = seconds === undefined ? Number(hours) * 3600 + Number(minutes) * 60 + Number(rest) : Number(seconds)
  return total > 0 ? total * 1000 : undefined
}
