import { hash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Organisation } from '../domain/organisation.ts'
import { type Json, marksOf, type RecordMark } from '../store/records.ts'
import type { TimedAnswer } from './apply.ts'
import type { SyncContext, SyncSettings } from './context.ts'
import { idOf, type ListKind } from './resources.ts'

/** The differences between a list and the store. */
export type ListDiff = {
  /** The rows to write, at most; each is reconciled again once its row is locked. The writer empties the array. */
  readonly answers: SizedAnswer[]
  /** The number of rows in the list. */
  readonly count: number
  /** Rows that were malformed, or had the id of another. */
  readonly skipped: number
  /** Rows in the store, and those of them that the list no longer has. */
  readonly stored: number
  readonly lost: number
  /** Rows in the list whose details said that they are removed; their details are read again. */
  readonly contradicted: readonly string[]
}

/** An answer that waits to be written. `size` is the length of its value as JSON, which a large one holds compressed. */
export type SizedAnswer = Omit<TimedAnswer, 'askedMs'> & { readonly size: number; readonly compressed?: Buffer }

/** From this length on a value is compressed, because a list of 64 MB would else be in memory twice. */
const largeText = 64 * 1024

/** The answer with its value, for a call that began so many milliseconds ago. */
export function answerOf({ size: _size, compressed, ...answer }: SizedAnswer, askedMs: number): TimedAnswer {
  if (!compressed) return { ...answer, askedMs }
  return { ...answer, askedMs, value: JSON.parse(inflateRawSync(compressed).toString()) as Json }
}

/** A comparison of a list with the store, row by row. */
export type ListComparison = {
  /** Whether a record is unchanged since the last read; it then needs no further processing. */
  readonly isKnown: (raw: Json) => boolean
  /** Takes a changed row. The first of two rows with one id counts; rows without an id get numbered keys. */
  readonly take: (row: Json, raw: Json) => void
  /** Ends the comparison after the last row. @param malformed rows that could not be parsed */
  readonly end: (malformed: readonly unknown[]) => ListDiff
}

type Known = Pick<RecordMark, 'listed_digest' | 'removed_by'> & { isListed: boolean }

/**
 * Starts a comparison. Unchanged records are dropped at once, so that a list of 100,000 rows only needs memory for its
 * keys.
 */
export async function compareWithStore(
  { db }: SyncContext,
  organisation: Organisation,
  kind: ListKind,
): Promise<ListComparison> {
  const known = await readMarks(db, organisation, kind)
  const added = new Set<string>()
  const answers: SizedAnswer[] = []
  const contradicted: string[] = []
  let [count, duplicates] = [0, 0]

  function isSeen(key: string): boolean {
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
    for (let number = 2; key.startsWith('~') && isSeen(key); number += 1) key = `${key.replace(/#\d+$/, '')}#${number}`
    if (isSeen(key)) {
      duplicates += 1
      return
    }
    count += 1
    const digest = digestOf(raw)
    const mark = known.get(key)
    if (mark) mark.isListed = true
    else added.add(key)
    if (mark?.removed_by === 'details') contradicted.push(key)
    if (mark?.listed_digest === digest && mark.removed_by !== 'list') return
    const text = storedText(row)
    const held =
      text.length < largeText
        ? { value: JSON.parse(text) as Json }
        : { value: undefined, compressed: deflateRawSync(text, { level: 1 }) }
    answers.push({ source: 'list', key, digest, size: text.length, ...held })
  }
  function end(malformed: readonly unknown[]): ListDiff {
    const keys = malformed.map((row) => rawKeyOf(kind, row))
    const unclear = new Set(keys.filter((key) => key !== undefined))
    const nameless = keys.filter((key) => key === undefined).length
    const missing: SizedAnswer[] = []
    let [stored, lost] = [0, 0]
    for (const [key, { removed_by: removedBy, isListed }] of known) {
      if (removedBy === null) stored += 1
      if (isListed || removedBy === 'list' || unclear.has(key)) continue
      if (removedBy === null) lost += 1
      missing.push({ source: 'list', key, value: undefined, size: 0 })
    }
    // A row without a readable id may be any of those that seem to be missing.
    if (lost <= nameless) [lost, missing.length] = [0, 0]
    const skipped = malformed.length + duplicates
    return { answers: [...missing, ...answers], count, skipped, stored, lost, contradicted }
  }
  return { isKnown, take, end }
}

/** The marks of all rows of the list by key, read in batches. */
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

/** The key of an unparsed record; undefined without a readable id. */
function rawKeyOf(kind: ListKind, raw: unknown): string | undefined {
  const id = idOf(raw, kind.idMember)
  return id === undefined ? undefined : storable(kind.keyOfId(id))
}

/** PostgreSQL text has neither U+0000 nor lone surrogates. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

const marksAtOnce = 2000

/** Change this when stored rows must be parsed again; every digest then differs, and the next read updates it. */
export const digestVersion = '2'

/** A digest of the data that the API sent, independent of the order of its members. */
export function digestOf(raw: Json): string {
  return hash('sha1', digestVersion + JSON.stringify(sorted(raw)), 'base64url')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const names = Object.keys(value).toSorted()
  return names.map((name) => [name, sorted(Reflect.get(value, name))])
}

/** The data as the store returns it: without undefined members and characters that it cannot store. */
export function asStored(value: Json): Json {
  return JSON.parse(storedText(value)) as Json
}

function storedText(value: Json): string {
  return JSON.stringify(value, (_name, member: unknown) => (typeof member === 'string' ? storable(member) : member))
}

/** True for an empty list, or one that lost more than a fifth; that is more often an error of the API than correct. */
export function isSuspect({ stored, lost }: Pick<ListDiff, 'stored' | 'lost'>): boolean {
  return lost > stored / 5
}

/** Whether a suspect answer has been confirmed by a second one, late enough after the first. */
export function isConfirmed(
  suspectSeconds: number | null | undefined,
  settings: Pick<SyncSettings, 'suspectSeconds'>,
): boolean {
  return (suspectSeconds ?? -1) >= settings.suspectSeconds
}
