import { hash } from 'node:crypto'
import type { Organisation } from '../domain/organisation.ts'
import { type Json, marksOf, type RecordMark } from '../store/records.ts'
import type { TimedAnswer } from './apply.ts'
import type { SyncContext, SyncSettings } from './context.ts'
import { idOf, type ListKind } from './resources.ts'

/** Where a list differs from the store. */
export type ListDiff = {
  /** What must be written, at most: each is reconciled once more when its row is held. */
  readonly answers: readonly TimedAnswer[]
  /** How many rows the list has. */
  readonly count: number
  /** Rows that could not be read, or had the id of another. */
  readonly skipped: number
  /** Rows that the store has, and how many of them the list no longer has. */
  readonly stored: number
  readonly lost: number
  /** In the list, though their details said that they are removed: worth reading those again. */
  readonly contradicted: readonly string[]
}

/** A list that is compared with the store while it is read. */
export type ListComparison = {
  /** Whether a record is the same as the last time; then nothing else is to be done with it. */
  readonly isKnown: (raw: Json) => boolean
  /** Takes a row that is not. Of two with one id the first counts; rows without one are told apart by their number. */
  readonly take: (row: Json, raw: Json) => void
  /** After the last row. @param malformed rows that could not be read */
  readonly end: (malformed: readonly unknown[]) => ListDiff
}

type Known = Pick<RecordMark, 'listed_digest' | 'removed_by'> & { isListed: boolean }

/**
 * Begins to compare a list with the store. Records that say nothing new are dropped as they come, so that a list of
 * 100,000 costs no more memory than its keys.
 */
export async function compareWithStore(
  { db }: SyncContext,
  organisation: Organisation,
  kind: ListKind,
): Promise<ListComparison> {
  const known = await readMarks(db, organisation, kind)
  const added = new Set<string>()
  const answers: TimedAnswer[] = []
  const contradicted: string[] = []
  let [count, doubled] = [0, 0]

  function hasCome(key: string): boolean {
    return added.has(key) || known.get(key)?.isListed === true
  }
  function isKnown(raw: Json): boolean {
    const key = rawKeyOf(kind, raw)
    const mark = key === undefined ? undefined : known.get(key)
    if (!mark || key === undefined || mark.isListed || mark.removed_by === 'list') return false
    if (mark.listed_digest !== digestOf(raw)) return false
    mark.isListed = true
    count += 1
    if (mark.removed_by === 'details') contradicted.push(key)
    return true
  }
  function take(row: Json, raw: Json): void {
    let key = storable(kind.keyOf(row))
    for (let number = 2; key.startsWith('~') && hasCome(key); number += 1) key = `${key.replace(/#\d+$/, '')}#${number}`
    if (hasCome(key)) {
      doubled += 1
      return
    }
    count += 1
    const digest = digestOf(raw)
    const mark = known.get(key)
    if (mark) mark.isListed = true
    else added.add(key)
    if (mark?.removed_by === 'details') contradicted.push(key)
    if (mark?.listed_digest === digest && mark.removed_by !== 'list') return
    answers.push({ source: 'list', key, value: asStored(row), digest, askedMs: 0 })
  }
  function end(malformed: readonly unknown[]): ListDiff {
    const keys = malformed.map((row) => rawKeyOf(kind, row))
    const unclear = new Set(keys.filter((key) => key !== undefined))
    const nameless = keys.filter((key) => key === undefined).length
    const missing: TimedAnswer[] = []
    let [stored, lost] = [0, 0]
    for (const [key, { removed_by: removedBy, isListed }] of known) {
      if (removedBy === null) stored += 1
      if (isListed || removedBy === 'list' || unclear.has(key)) continue
      if (removedBy === null) lost += 1
      missing.push({ source: 'list', key, value: undefined, askedMs: 0 })
    }
    // A row without a readable id may be any of those that seem to be missing.
    if (lost <= nameless) [lost, missing.length] = [0, 0]
    const skipped = malformed.length + doubled
    return { answers: [...missing, ...answers], count, skipped, stored, lost, contradicted }
  }
  return { isKnown, take, end }
}

/** The marks of all rows of the list by key, read in slices. */
async function readMarks(
  db: SyncContext['db'],
  organisation: Organisation,
  { table, msn }: ListKind,
): Promise<Map<string, Known>> {
  const known = new Map<string, Known>()
  for (let after = ''; ;) {
    const marks = await marksOf(db, organisation, table, { after, limit: marksAtOnce, msn })
    for (const { key, listed_digest, removed_by } of marks)
      known.set(key, { listed_digest, removed_by, isListed: false })
    const last = marks.at(-1)
    if (!last || marks.length < marksAtOnce) return known
    after = last.key
  }
}

/** The key of a record that has not been parsed, if it has a readable id. */
function rawKeyOf(kind: ListKind, raw: unknown): string | undefined {
  const id = idOf(raw, kind.idMember)
  return id === undefined ? undefined : storable(kind.keyOfId(id))
}

/** PostgreSQL has no character NUL, and no half of a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

const marksAtOnce = 2000

/** Changes when rows of before must be parsed again; the digests in the store then heal by themselves. */
const digestVersion = '1'

/** A digest of what the API sent, whatever the order of its members. */
export function digestOf(raw: Json): string {
  return hash('sha1', digestVersion + JSON.stringify(inOrder(raw)), 'base64url')
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const names = Object.keys(value).toSorted()
  return names.map((name) => [name, inOrder(Reflect.get(value, name))])
}

/** What the API sent as the store gives it back: without what is undefined, or cannot be stored. */
export function asStored(value: Json): Json {
  const text = JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'string' ? storable(member) : member,
  )
  return JSON.parse(text) as Json
}

/** An empty list, or one that has lost more than a fifth, is more often a fault of the API than the truth. */
export function isSuspect({ stored, lost }: Pick<ListDiff, 'stored' | 'lost'>): boolean {
  return lost > stored / 5
}

/** Whether a suspect answer has been read again long enough after the first one to count. */
export function isConfirmed(
  suspectSeconds: number | null | undefined,
  settings: Pick<SyncSettings, 'suspectSeconds'>,
): boolean {
  return (suspectSeconds ?? -1) >= settings.suspectSeconds
}
