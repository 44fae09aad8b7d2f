import { z } from 'zod'
import { idOnly, type RawRecord } from './records.ts'

/** The parsed rows of a list. A `malformed` row is an object with its id only, or undefined without one. */
export type Rows<T> = { readonly rows: readonly T[]; readonly malformed: readonly unknown[] }

/** Issue paths and codes, such as `name: invalid_type`, with the number of rows. Never a value. */
export type Reasons = Readonly<Record<string, number>>

type RawRow = Readonly<Record<string, unknown>>
/** Callbacks for the rows of a long list. */
export type RowHandlers<Row> = {
  /** Called for each record that is an object; a known record is neither parsed nor taken. */
  readonly isKnown?: ((raw: RawRow) => boolean) | undefined
  /** Receives the rows one by one; they are then not in the result, as a list can be long. */
  readonly take?: ((row: Row, raw: RawRow) => void) | undefined
}

/** The schema issues as `path: code`. Never a value. */
export function issuesOf(error: z.ZodError): string[] {
  return error.issues.map(({ path, code }) => `${z.core.toDotPath(path) || 'row'}: ${code}`)
}

/** Parses a list row by row, so that a malformed row is skipped alone. @throws errors of `batches` */
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

/** Text. Lists have sent ids and prices as JSON numbers; they become the same text that details have. */
export const text = z.union([z.string(), z.number()]).transform(String)

/** Merchant serial number. Any number of digits is accepted, so that a new length does not empty the lists. */
export const msn = text.refine((value) => /^\d{1,30}$/.test(value))

/** An identifier. Known ones have less than 50 characters; longer ones than this do not fit into an index. */
export const id = text.refine(({ length }) => length <= 100)

/** An optional value; null becomes undefined. */
export function maybe<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined)
}

/** The schema of a business identifier. */
export const businessIdentifier = z.object({ scheme: id, id })
/** A merchant's identity: `{ scheme: 'business:NO:ORG', id: '987654321' }`. */
export type BusinessIdentifier = z.output<typeof businessIdentifier>

/**
 * The value when it is an absolute http or https URL, else undefined. Every link goes through this, so that
 * `javascript:` and `data:` URLs are dropped.
 */
export function httpUrl(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined
  return ['http:', 'https:'].includes(new URL(value).protocol) ? value : undefined
}

/** An optional URL that pages link to; values that are not http(s) count as absent. */
export const link = z
  .unknown()
  .optional()
  .transform((value) => httpUrl(value))
