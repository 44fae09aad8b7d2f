import { isDeepStrictEqual } from 'node:util'
import type { ChangedFields, ChangeKind } from '../store/changes.ts'
import type { Json, StoredRecord } from '../store/records.ts'

/** What the API said of one record: in a list or on its own; undefined that it is not there. */
export type Answer = {
  readonly source: 'list' | 'details'
  readonly key: string
  readonly value: Json | undefined
  /** Of a list's item, as kept in `listed_digest`. */
  readonly digest?: string
  /** When the API was asked, by the database's clock. */
  readonly askedAt: Date
}

/** What follows from an answer: how the row is from now on, if it is another, and what to add to the history. */
export type Verdict = {
  readonly record?: StoredRecord
  readonly change?: { readonly kind: ChangeKind; readonly fields: ChangedFields }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every field that differs, by its path; lists count as one value. */
export const differences = (before: Json, after: Json, path = ''): ChangedFields => {
  const fields: Record<string, readonly [unknown, unknown]> = {}
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[name], after[name]]
    if (isDeepStrictEqual(old, now)) continue
    if (isObject(old) && isObject(now)) Object.assign(fields, differences(old, now, `${path}${name}.`))
    else fields[`${path}${name}`] = [old ?? null, now ?? null]
  }
  return fields
}

/** A record as the API shows it now, whichever of the two said it last. */
export const currentOf = ({ listed, details }: Pick<StoredRecord, 'listed' | 'details'>): Json => ({
  ...listed,
  ...details,
})

/** What the list newly says of something that the details say too holds until the details are read again. */
const patched = (details: Json | null, before: Json | null, after: Json): Json | null => {
  if (!details) return null
  const news = Object.keys(differences(before ?? {}, after)).flatMap((path) => path.split('.')[0] ?? [])
  return {
    ...details,
    ...Object.fromEntries(
      news.filter((name) => name in details && name in after).map((name) => [name, after[name]]),
    ),
  }
}

const appeared = ({ key, source, value, digest }: Answer, value_: Json, now: Date): Verdict => ({
  record: {
    key,
    first_seen_at: now,
    last_seen_at: now,
    changed_at: now,
    removed_at: null,
    removed_by: null,
    listed_digest: digest ?? null,
    listed: source === 'list' ? value_ : null,
    details: source === 'details' ? (value ?? null) : null,
  },
  change: { kind: 'added', fields: {} },
})

/** The row with what the answer says in it. */
const updated = (row: StoredRecord, { source, digest }: Answer, value: Json): StoredRecord =>
  source === 'list'
    ? {
        ...row,
        listed_digest: digest ?? null,
        listed: value,
        details: patched(row.details, row.listed, value),
      }
    : { ...row, details: value }

const fieldsOf = (before: StoredRecord, after: StoredRecord): ChangedFields => {
  const fields = differences(currentOf(before), currentOf(after))
  if (before.details || !after.details) return fields
  // To learn what nobody had read before is no change of it.
  const known = currentOf(before)
  return Object.fromEntries(Object.entries(fields).filter(([path]) => (path.split('.')[0] ?? '') in known))
}

const there = (row: StoredRecord, answer: Answer, value: Json, now: Date): Verdict => {
  const said = answer.source === 'list' ? row.listed : row.details
  const isBack = row.removed_at !== null && row.removed_by === answer.source
  if (row.removed_at && (!isBack || answer.askedAt < row.removed_at)) return {}
  if (!row.removed_at && isDeepStrictEqual(said, value)) return {}
  const next = updated(row, answer, value)
  const fields = fieldsOf(row, next)
  if (isBack) {
    const record = { ...next, last_seen_at: now, changed_at: now, removed_at: null, removed_by: null }
    return { record, change: { kind: 'returned', fields } }
  }
  if (Object.keys(fields).length === 0) return { record: { ...next, last_seen_at: now } }
  return { record: { ...next, last_seen_at: now, changed_at: now }, change: { kind: 'changed', fields } }
}

const notThere = (row: StoredRecord, { source, askedAt }: Answer, now: Date): Verdict => {
  // Asked before it was seen: the answer is older than what is known.
  if (askedAt < (row.removed_at ?? row.last_seen_at)) return {}
  if (!row.removed_at) {
    const record = { ...row, removed_at: now, removed_by: source, changed_at: now }
    return { record, change: { kind: 'removed', fields: {} } }
  }
  return row.removed_by === 'details' && source === 'list' ? { record: { ...row, removed_by: 'list' } } : {}
}

/**
 * What one answer means for one row. A record that its list has no more is gone until the list has it again; one
 * whose details answer 404 is gone until they do not, or until the list has been without it and has it again: so the
 * two cannot contradict each other for ever.
 * @param now the database's time of the transaction that holds the row
 */
export const judge = (row: StoredRecord | undefined, answer: Answer, now: Date): Verdict => {
  const { value } = answer
  if (value === undefined) return row ? notThere(row, answer, now) : {}
  return row ? there(row, answer, value, now) : appeared(answer, value, now)
}
