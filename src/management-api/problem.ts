import { z } from 'zod'

/** The parts of an error response that are kept. */
export type Problem = {
  readonly title?: string | undefined
  readonly traceId?: string | undefined
  /** What the API or its gateway says about the error, or why there is no answer, for the operator. */
  readonly said?: string | undefined
}

const longest = 200
/** The most texts of one body, and how deep they may be, so that a body cannot make this slow. */
const [mostTexts, deepest] = [20, 4]

const word = z.string().optional().catch(undefined)
// RFC 7807, and the error of RFC 6749, 5.2, from the token endpoint of management credentials.
const schema = z.object({ title: word, traceId: word, error: word })

/** Members with words: RFC 7807, Azure API Management (`message`, `reason`), OAuth, and Vipps MobilePay's extraDetails. */
const spoken = ['detail', 'message', 'error', 'error_description', 'reason', 'extraDetails'] as const

/**
 * Parses a problem body leniently: members may be missing or of another type, and nothing is kept of an HTML page from a
 * gateway.
 * @param secrets the secrets of the request, redacted in case a gateway quotes them
 * @returns texts without what looks like a secret, each cut to 200 characters
 */
export function readProblem(body: string, secrets: readonly string[]): Problem {
  let json: unknown
  try {
    json = JSON.parse(body.replace(/^\uFEFF/, ''))
  } catch {
    return {}
  }
  const { data } = schema.safeParse(json)
  const title = data?.title ?? data?.error
  const texts = isObject(json) ? spoken.flatMap((name) => textsIn(json[name])) : []
  const said = [...new Set(texts)].filter((text) => text !== title).slice(0, mostTexts)
  return {
    title: redacted(title, secrets),
    traceId: withoutSecrets(data?.traceId, secrets)?.slice(0, longest),
    said: redacted(said.join(' ') || undefined, secrets),
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textsIn(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null || depth > deepest) return []
  return Object.values(value)
    .slice(0, mostTexts)
    .flatMap((one) => textsIn(one, depth + 1))
}

function withoutSecrets(text: string | undefined, secrets: readonly string[]): string | undefined {
  return secrets
    .filter((secret) => secret !== '')
    .reduce<string | undefined>((kept, secret) => kept?.replaceAll(secret, '[redacted]'), text)
}

/** Named secrets, such as `subscription-key: abc`, and credentials of a scheme. */
const named =
  /((?:key|secret|token|password|signature|sig|bearer|basic)["']?\s*[:=]\s*["']?|\b(?:Bearer|Basic)\s+)[^\s"',;]+/gi
/** GUIDs, JWTs, keys and other long runs with digits; numbers such as an MSN have less. */
const runs = /\b(?=[\w+=.~-]*\d)[\w+=.~-]{16,}/gi

/** The text on one line, without queries of URLs and without what looks like a key, a token, a GUID or an address. */
function redacted(text: string | undefined, secrets: readonly string[]): string | undefined {
  return withoutSecrets(text?.slice(0, 20 * longest), secrets)
    ?.replaceAll(/\?\S*=\S*/g, '?[redacted]')
    .replaceAll(/\S+@\S+/g, '[redacted]')
    .replaceAll(named, '$1[redacted]')
    .replaceAll(runs, '[redacted]')
    .replaceAll(/[\s\p{C}]+/gu, ' ')
    .trim()
    .slice(0, longest)
}
