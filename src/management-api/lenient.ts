import { z } from 'zod'
import { unreadMember } from '../domain/unread-members.ts'

type RawRecord = Readonly<Record<string, unknown>>

/** A record, with its unread members if it has any; or the issues, when it is no object or its key cannot be read. */
export type Lenient<Record> =
  | { readonly record: Record; readonly unread?: RawRecord | undefined; readonly issues?: undefined }
  | { readonly issues: readonly string[] }

/**
 * Reads a record so that it survives its members. A member that the schema refuses counts as absent, the innermost
 * first: of an address that is one line. It is kept raw in the member `_unread`. A readable record is parsed once.
 */
export function readLeniently<Schema extends z.ZodType<RawRecord>>(
  schema: Schema,
  raw: unknown,
): Lenient<z.output<Schema>> {
  let parsed = schema.safeParse(raw)
  if (parsed.success) return { record: parsed.data }
  const first = parsed.error
  if (!isObject(raw)) return { issues: issuesOf(first) }
  const rest = structuredClone(raw)
  const removed: Path[] = []
  while (!parsed.success) {
    const found = removeAll(rest, parsed.error)
    // What is left is a key: without it, nobody knows which record this is.
    if (found.length === 0) return { issues: issuesOf(ofSamePaths(first, parsed.error)) }
    removed.push(...found)
    parsed = schema.safeParse(rest)
  }
  const outermost = removed.filter((path) => !removed.some((other) => other !== path && isWithin(path, other)))
  const unread = Object.fromEntries(outermost.map((path) => [z.core.toDotPath(path), valueAt(raw, path)]))
  return { record: { ...parsed.data, [unreadMember]: unread }, unread }
}

/** The first issues of what cannot be read in the end; a key that was removed is only missing in the end. */
function ofSamePaths(first: z.ZodError, last: z.ZodError): z.ZodError {
  const paths = new Set(last.issues.map(({ path }) => z.core.toDotPath(path)))
  const issues = first.issues.filter(({ path }) => paths.has(z.core.toDotPath(path)))
  return issues.length > 0 ? new z.ZodError(issues) : last
}

/** A stored record. One that another release has stored is read as leniently as an answer. @throws Error without a key */
export function readStored<Schema extends z.ZodType<RawRecord>>(schema: Schema, stored: unknown): z.output<Schema> {
  const read = readLeniently(schema, stored)
  if (read.issues) throw new Error(`stored record cannot be read: ${read.issues.join(', ')}`)
  return read.record
}

/** The schema issues as `path: code`. Never a value. */
export function issuesOf(error: z.ZodError): string[] {
  return error.issues.map(({ path, code }) => `${z.core.toDotPath(path) || 'row'}: ${code}`)
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is RawRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Path = readonly PropertyKey[]

/** Removes what the issues are about. @returns the paths that were removed */
function removeAll(record: RawRecord, { issues }: z.ZodError): Path[] {
  const removed: Path[] = []
  // The last item of an array first, so that the others keep their places.
  for (const { path } of issues.toReversed()) {
    if (removed.some((other) => isWithin(path, other))) continue
    const found = remove(record, path)
    if (found) removed.push(found)
  }
  return removed
}

/** Removes the member; if it is missing, the innermost object around it that lacks it, but never the record itself. */
function remove(record: RawRecord, path: Path): Path | undefined {
  const [name, around] = [path.at(-1), path.slice(0, -1)]
  if (name === undefined) return undefined
  const parent = valueAt(record, around)
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, name)) return remove(record, around)
  if (Array.isArray(parent)) parent.splice(Number(name), 1)
  else Reflect.deleteProperty(parent, name)
  return path
}

function valueAt(record: unknown, path: Path): unknown {
  let value = record
  for (const name of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  return value
}

function isWithin(path: Path, outer: Path): boolean {
  return outer.every((name, at) => path[at] === name)
}
