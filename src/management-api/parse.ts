import { z } from 'zod'
import { jsonType } from '../domain/unread-members.ts'
import { isObject, readLeniently } from './lenient.ts'
import { idOnly, type RawRecord } from './records.ts'

/** The parsed rows of a list. A `malformed` row is an object with its id only, or undefined without one. */
export type Rows<T> = { readonly rows: readonly T[]; readonly malformed: readonly unknown[] }

/** Issue paths and codes, such as `msn: invalid_type`, with the number of rows. Never a value. */
export type Reasons = Readonly<Record<string, number>>

/** Members that could not be read, by path: in how many rows, and the JSON type of an example. Never a value. */
export type UnreadMembers = Readonly<Record<string, { readonly rows: number; readonly example: string }>>

type RawRow = Readonly<Record<string, unknown>>
/** Callbacks for the rows of a long list. */
export type RowHandlers<Row> = {
  /** Called for each record that is an object; a known record is neither parsed nor taken. */
  readonly isKnown?: ((raw: RawRow) => boolean) | undefined
  /** Receives the rows one by one; they are then not in the result, as a list can be long. */
  readonly take?: ((row: Row, raw: RawRow) => void) | undefined
}

/** Parses a list row by row, so that only a row without a readable key is skipped. @throws errors of `batches` */
export async function parseRows<Schema extends z.ZodType<RawRow>>(
  schema: Schema,
  batches: AsyncIterable<readonly RawRecord[]>,
  idMember: string | undefined,
  { isKnown, take }: RowHandlers<z.output<Schema>>,
): Promise<Rows<z.output<Schema>> & { readonly reasons: Reasons; readonly unread: UnreadMembers }> {
  const rows: z.output<Schema>[] = []
  const reasons: Record<string, number> = {}
  const unread: Record<string, { rows: number; readonly example: string }> = {}
  const malformed: unknown[] = []
  const skip = (id: unknown, ...why: readonly string[]) => {
    malformed.push(id)
    for (const reason of why) reasons[reason] = (reasons[reason] ?? 0) + 1
  }
  for await (const batch of batches)
    for (const { value, problem } of batch) {
      if (problem) skip(value, problem)
      else if (!isKnown || !isObject(value) || !isKnown(value)) {
        const read = readLeniently(schema, value)
        if (read.issues) {
          skip(idOnly(value, idMember), ...read.issues)
          continue
        }
        for (const [path, { example }] of Object.entries(unreadMembersOf(read.unread)))
          unread[path] = { rows: (unread[path]?.rows ?? 0) + 1, example }
        if (take) take(read.record, value as RawRow)
        else rows.push(read.record)
      }
    }
  return { rows, malformed, reasons, unread }
}

/** The unread members of one record; items of one array count as one member. */
export function unreadMembersOf(unread: RawRow = {}): UnreadMembers {
  const members = Object.entries(unread).map(([path, value]) => [path.replaceAll(/\[\d+\]/g, '[]'), value] as const)
  return Object.fromEntries(members.map(([path, value]) => [path, { rows: 1, example: jsonType(value) }]))
}

/** Text. Lists have sent ids and prices as JSON numbers; they become the same text that details have. */
export const text = z.union([z.string(), z.number()]).transform(String)

/** Longer texts are data that went astray: no page could show them. */
const longestText = 50_000

/** Text for people; blank text counts as absent. */
export const words = text
  .refine(({ length }) => length <= longestText)
  .transform((value) => (value.trim() === '' ? undefined : value))

/** Merchant serial number. Any number of digits is accepted, so that a new length does not empty the lists. */
export const msn = text.refine((value) => /^\d{1,30}$/.test(value))

/**
 * An identifier, UUIDs in lower case. Known ones have less than 50 characters; longer ones than this do not fit into an
 * index.
 */
export const id = text.refine((value) => value.length <= 100 && value.trim() !== '').transform(lowerUuid)

/** A UUID in lower case; the API accepts and sends either case for the same record. Other values are unchanged. */
export function lowerUuid(value: string): string {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value) ? value.toLowerCase() : value
}

/** A word such as a status, or a newer one; blank text counts as absent. Longer ones do not fit into an index. */
export const code = words.refine((value) => value === undefined || value.length <= 100)

/** True or false, also as text. */
export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')])

const calendarDate = z.iso.date()

/** A date, or RFC 3339 date-time, unchanged. One that no calendar has (month 31, 30 February) cannot be read. */
export const date = text.refine(
  (value) => calendarDate.safeParse(value.slice(0, 10)).success && !Number.isNaN(Date.parse(value)),
)

/** A value that every record should have; null counts as unreadable. */
export function member<Schema extends z.ZodType>(schema: Schema) {
  return schema.optional()
}

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

/** An optional URL that pages link to; values that are not http(s) cannot be read. */
export const link = maybe(
  z
    .string()
    .refine((value) => value === '' || httpUrl(value) !== undefined)
    .transform((value) => (value === '' ? undefined : value)),
)
