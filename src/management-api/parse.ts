import { z } from 'zod'
import { idOnly, type RawRecord } from './records.ts'

/** A list as far as it could be read; a `malformed` row is an object with its id alone, undefined where it has none. */
export type Rows<T> = { readonly rows: readonly T[]; readonly malformed: readonly unknown[] }

/** Issue paths and codes, such as `name: invalid_type`, with how many rows had it. Never a value. */
export type Reasons = Readonly<Record<string, number>>

type RawRow = Readonly<Record<string, unknown>>
export type RowHandlers<Row> = {
  /** Asked for each record that is an object; one that is known is neither parsed nor taken. */
  readonly isKnown?: ((raw: RawRow) => boolean) | undefined
  /** Gets the rows one by one as they are parsed, and then they are in no result: a list can be long. */
  readonly take?: ((row: Row, raw: RawRow) => void) | undefined
}

/** Where and how a value departs from its schema, one `path: code` an issue. Never a value. */
export function issuesOf(error: z.ZodError): string[] {
  return error.issues.map(({ path, code }) => `${z.core.toDotPath(path) || 'row'}: ${code}`)
}

/** Reads a list row by row, so that one malformed row costs that row only. @throws what `batches` throws */
export async function parseRows<Schema extends z.ZodType>(
  schema: Schema,
  batches: AsyncIterable<readonly RawRecord[]>,
  idMember: string | undefined,
  { isKnown, take }: RowHandlers<z.output<Schema>>,
): Promise<Rows<z.output<Schema>> & { readonly reasons: Reasons }> {
  const rows: z.output<Schema>[] = []
  const reasons: Record<string, number> = {}
  const malformed: unknown[] = []
  const skip = (id: unknown, ...why: readonly string[]) => {
    malformed.push(id)
    for (const reason of why) reasons[reason] = (reasons[reason] ?? 0) + 1
  }
  for await (const batch of batches)
    for (const { value, problem } of batch) {
      if (problem) skip(value, problem)
      else if (!isKnown || !isObject(value) || !isKnown(value)) {
        const parsed = schema.safeParse(value)
        if (!parsed.success) skip(idOnly(value, idMember), ...issuesOf(parsed.error))
        else if (take) take(parsed.data, value as RawRow)
        else rows.push(parsed.data)
      }
    }
  return { rows, malformed, reasons }
}

function isObject(value: unknown): value is RawRow {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Text. Ids and prices have been seen as JSON numbers; they become the same text that the details have. */
export const text = z.union([z.string(), z.number()]).transform(String)

/** Merchant serial number. Only digits are asked for: a new length must not empty the lists. */
export const msn = text.refine((value) => /^\d{1,30}$/.test(value))

/** What names a thing. None is known that is half as long; what is longer is no name, and fits in no index. */
export const id = text.refine(({ length }) => length <= 100)

/** Absent and null both read as undefined, so that there is one kind of nothing. */
export function maybe<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined)
}

export const businessIdentifier = z.object({ scheme: id, id })
/** A merchant's identity: `{ scheme: 'business:NO:ORG', id: '987654321' }`. */
export type BusinessIdentifier = z.output<typeof businessIdentifier>

/**
 * The value itself when it is an absolute http or https URL, else undefined. What may become a link passes here:
 * `javascript:` and `data:` do not come out.
 */
export function httpUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined
  return ['http:', 'https:'].includes(new URL(value).protocol) ? value : undefined
}

/** Like `maybe(text)`, for a URL that a page links to; anything that is not http(s) counts as absent. */
export const link = z
  .unknown()
  .optional()
  .transform((value) => httpUrl(value))
