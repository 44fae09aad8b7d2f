import { isDeepStrictEqual } from 'node:util'
import { unreadMember } from '../domain/unread-members.ts'
import type { ChangedFields, ChangeKind } from '../store/changes.ts'
import type { Json, StoredRecord } from '../store/records.ts'

/** An answer of the API about one record, in a list or on its own; `value` undefined: the record is absent. */
export type Answer = {
  readonly source: 'list' | 'details'
  readonly key: string
  readonly value: Json | undefined
  /** The digest of a list's item, as kept in `listed_digest`. */
  readonly digest?: string
  /** When the API was asked, by the database's clock. */
  readonly askedAt: Date
}

/** What an answer changes: the row to write, if it differs, and the entry for the history. */
export type Decision = {
  readonly record?: StoredRecord
  readonly change?: { readonly kind: ChangeKind; readonly fields: ChangedFields }
}

/**
 * Decides what one answer changes in one row. A record that is missing from its list is removed until the list has it
 * again. A record whose details answer 404 is removed until they do not, or until the list drops it and has it again;
 * so the two sources cannot contradict each other for ever.
 * @param now the database's time of the transaction that has locked the row
 */
export function reconcile(row: StoredRecord | undefined, answer: Answer, now: Date): Decision {
  const { value } = answer
  if (value === undefined) return row ? decideAbsent(row, answer, now) : {}
  return row ? decidePresent(row, answer, value, now) : decideNew(answer, value, now)
}

function decideAbsent(row: StoredRecord, { source, askedAt }: Answer, now: Date): Decision {
  // The request is older than the last sighting, so its answer is outdated.
  if (askedAt < (row.removed_at ?? row.last_seen_at)) return {}
  if (!row.removed_at) {
    const record = { ...row, removed_at: now, removed_by: source, changed_at: now }
    return { record, change: { kind: 'removed', fields: {} } }
  }
  return row.removed_by === 'details' && source === 'list' ? { record: { ...row, removed_by: 'list' } } : {}
}

function decidePresent(row: StoredRecord, answer: Answer, value: Json, now: Date): Decision {
  const before = answer.source === 'list' ? row.listed : row.details
  const isBack = row.removed_at !== null && row.removed_by === answer.source
  if (row.removed_at && (!isBack || answer.askedAt < row.removed_at)) return withDigest(row, answer)
  if (!row.removed_at && isDeepStrictEqual(before, value)) return withDigest(row, answer)
  const next = updated(row, answer, value)
  const fields = fieldsOf(row, next)
  if (isBack) {
    const record = { ...next, last_seen_at: now, changed_at: now, removed_at: null, removed_by: null }
    return { record, change: { kind: 'returned', fields } }
  }
  if (Object.keys(fields).length === 0) return { record: { ...next, last_seen_at: now } }
  return { record: { ...next, last_seen_at: now, changed_at: now }, change: { kind: 'changed', fields } }
}

function decideNew({ key, source, digest }: Answer, value: Json, now: Date): Decision {
  return {
    record: {
      key,
      first_seen_at: now,
      last_seen_at: now,
      changed_at: now,
      removed_at: null,
      removed_by: null,
      listed_digest: digest ?? null,
      listed: source === 'list' ? value : null,
      details: source === 'details' ? value : null,
    },
    change: { kind: 'added', fields: {} },
  }
}

/** Nothing changed but the digest, as after a change of digestVersion; writes it once. */
function withDigest(row: StoredRecord, { source, digest }: Answer): Decision {
  const isOld = source === 'list' && row.removed_by !== 'list' && row.listed_digest !== (digest ?? null)
  return isOld ? { record: { ...row, listed_digest: digest ?? null } } : {}
}

/** The row with the answer applied. */
function updated(row: StoredRecord, { source, digest }: Answer, value: Json): StoredRecord {
  if (source === 'details') return { ...row, details: value }
  return {
    ...row,
    listed_digest: digest ?? null,
    listed: value,
    details: patched(row.details, row.listed, value),
  }
}

function fieldsOf(before: StoredRecord, after: StoredRecord): ChangedFields {
  const fields = differences(currentOf(before), currentOf(after))
  if (before.details || !after.details) return fields
  // Members that were never read before did not change.
  const known = currentOf(before)
  return Object.fromEntries(Object.entries(fields).filter(([path]) => (path.split('.')[0] ?? '') in known))
}

/** Copies changed members of the list into the details, until the details are read again. */
function patched(details: Json | null, before: Json | null, after: Json): Json | null {
  if (!details) return null
  const changed = Object.keys(differences(before ?? {}, after)).flatMap((path) => path.split('.')[0] ?? [])
  const known = changed.filter((name) => name in details && name in after)
  return { ...details, ...Object.fromEntries(known.map((name) => [name, after[name]])) }
}

/** The current record: the list's item with the details on top. */
export function currentOf({ listed, details }: Pick<StoredRecord, 'listed' | 'details'>): Json {
  return { ...listed, ...details }
}

/** Every field that differs, by path; arrays count as one value. What cannot be read counts as absent. */
export function differences(before: Json, after: Json, path = ''): ChangedFields {
  const fields: Record<string, readonly [unknown, unknown]> = {}
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[name], after[name]]
    if (name === unreadMember || isDeepStrictEqual(old, now)) continue
    if (isObject(old) && isObject(now)) Object.assign(fields, differences(old, now, `${path}${name}.`))
    else fields[`${path}${name}`] = [old ?? null, now ?? null]
  }
  return fields
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
