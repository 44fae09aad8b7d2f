import { setImmediate as pause } from 'node:timers/promises'
import { z } from 'zod'

/** Thrown when an answer that should be a list is none. Its message is for the log, and quotes nothing. */
export class UnreadableListError extends Error {}

/** Rows parsed before somebody else gets the event loop: there can be 100,000. */
const slice = 500

/**
 * A list a few rows at a time. Nothing at all (204, an empty body, null) is the empty list.
 * @throws UnreadableListError when `value` is not a list
 */
export async function* inPieces(value: unknown): AsyncGenerator<readonly unknown[]> {
  if (value === undefined || value === null) return
  if (!Array.isArray(value)) throw new UnreadableListError('the answer is not a list')
  for (let start = 0; start < value.length; start += slice) {
    yield value.slice(start, start + slice)
    await pause()
  }
}

/** A list as far as it could be read: `malformed` rows stand here as they came, and in the log without their values. */
export type Rows<T> = { readonly rows: readonly T[]; readonly malformed: readonly unknown[] }

/** Issue paths and codes, such as `name: invalid_type`, with how many rows had it. Never a value. */
export type Reasons = Readonly<Record<string, number>>

/** Where and how a value departs from its schema, one `path: code` an issue. Never a value. */
export const issuesOf = (error: z.ZodError): string[] =>
  error.issues.map(({ path, code }) => `${z.core.toDotPath(path) || 'row'}: ${code}`)

/** Reads a list row by row, so that one malformed row costs that row only. @param take gets the
 * rows instead of the result. @throws what `pieces` throws */
export const parseRows = async <Schema extends z.ZodType>(
  schema: Schema,
  pieces: AsyncIterable<readonly unknown[]>,
  take?: (row: z.output<Schema>) => void,
): Promise<Rows<z.output<Schema>> & { readonly reasons: Reasons }> => {
  const rows: z.output<Schema>[] = []
  const reasons: Record<string, number> = {}
  const malformed: unknown[] = []
  for await (const piece of pieces)
    for (const row of piece) {
      const parsed = schema.safeParse(row)
      if (parsed.success) {
        if (take) take(parsed.data)
        else rows.push(parsed.data)
        continue
      }
      malformed.push(row)
      for (const issue of issuesOf(parsed.error)) reasons[issue] = (reasons[issue] ?? 0) + 1
    }
  return { rows, malformed, reasons }
}

/** Text. Ids and prices have been seen as JSON numbers; they become the same text that the details have. */
export const text = z.union([z.string(), z.number()]).transform(String)

/** Merchant serial number. Only digits are asked for: a new length must not empty the lists. */
export const msn = text.refine((value) => /^\d{1,30}$/.test(value))

/** What names a thing. None is known that is half as long; what is longer is no name, and fits in no index. */
export const id = text.refine(({ length }) => length <= 100)

/** Absent and null both read as undefined, so that there is one kind of nothing. */
export const maybe = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined)

export const businessIdentifier = z.object({ scheme: id, id })
/** A merchant's identity: `{ scheme: 'business:NO:ORG', id: '987654321' }`. */
export type BusinessIdentifier = z.output<typeof businessIdentifier>

/**
 * The value itself when it is an absolute http or https URL, else undefined. What may become a link passes here:
 * `javascript:` and `data:` do not come out.
 */
export const httpUrl = (value: unknown): string | undefined => {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined
  return ['http:', 'https:'].includes(new URL(value).protocol) ? value : undefined
}

/** Like `maybe(text)`, for a URL that a page links to; anything that is not http(s) counts as absent. */
export const link = z
  .unknown()
  .optional()
  .transform((value) => httpUrl(value))
