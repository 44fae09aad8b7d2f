import { hash } from 'node:crypto'
import type { Organisation } from '../organisation.ts'
import type { Reading } from '../store/readings.ts'
import { type Json, marksOf, type RecordMark } from '../store/records.ts'
import type { TimedAnswer } from './apply.ts'
import { type ListKind, webhookKey } from './resources.ts'
import type { SyncSource } from './source.ts'

const marksAtOnce = 2000

/** PostgreSQL has no character NUL, and no half of a surrogate pair. */
const storable = (text: string): string => text.replaceAll('\0', '').toWellFormed()

/** What the API said as the store gives it back: without what is undefined, or cannot be stored. */
export const asStored = (value: Json): Json =>
  JSON.parse(
    JSON.stringify(value, (_name, member: unknown) =>
      typeof member === 'string' ? storable(member) : member,
    ),
  ) as Json

/** The key of a row that makes no sense otherwise, if it can be told. */
const keyOfMalformed = ({ idMember, msn }: ListKind, row: unknown): string | undefined => {
  const id: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, idMember) : undefined
  if (typeof id !== 'string' && typeof id !== 'number') return undefined
  return msn === undefined ? String(id) : webhookKey(msn, { id: String(id) })
}

/** What a list says that the store does not know. */
type Comparison = {
  /** What must be written, at most: each is judged once more when its row is held. */
  readonly answers: readonly TimedAnswer[]
  /** How many rows the list has. */
  readonly count: number
  /** Rows that made no sense, or had the id of another. */
  readonly skipped: number
  readonly current: number
  readonly lost: number
  /** In the list, though their details said that they are gone: worth another look at those. */
  readonly contradicted: readonly string[]
}

/** A list that is being compared while it is read. */
export type Comparing = {
  /** Takes the list's next row. Of two with one id the first counts; rows without one are told apart by their number. */
  readonly take: (value: Json) => void
  /** After the last row. @param malformed rows that made no sense */
  readonly end: (malformed: readonly unknown[]) => Comparison
}

type Known = Pick<RecordMark, 'listed_digest' | 'removed_by'> & { isListed: boolean }

/** The marks of all rows of the list by key, read in slices. */
const readKnown = async (
  { database }: SyncSource,
  organisation: Organisation,
  { table, msn }: ListKind,
): Promise<Map<string, Known>> => {
  const known = new Map<string, Known>()
  for (let after = ''; ;) {
    const marks = await marksOf(database.kysely, organisation, table, { after, limit: marksAtOnce, msn })
    for (const { key, listed_digest, removed_by } of marks)
      known.set(key, { listed_digest, removed_by, isListed: false })
    const last = marks.at(-1)
    if (!last || marks.length < marksAtOnce) return known
    after = last.key
  }
}

/**
 * Begins to compare a list with what is known. Rows that say nothing new are forgotten as they come: a list of 100,000
 * costs no more memory than its keys.
 */
export const compareWithStore = async (
  source: SyncSource,
  organisation: Organisation,
  kind: ListKind,
): Promise<Comparing> => {
  const known = await readKnown(source, organisation, kind)
  const fresh = new Set<string>()
  const answers: TimedAnswer[] = []
  const contradicted: string[] = []
  let [count, doubled] = [0, 0]
  const hasCome = (key: string): boolean => fresh.has(key) || known.get(key)?.isListed === true

  const take = (value: Json): void => {
    let key = storable(kind.keyOf(value))
    for (let number = 2; key.startsWith('~') && hasCome(key); number += 1)
      key = `${key.replace(/#\d+$/, '')}#${number}`
    if (hasCome(key)) {
      doubled += 1
      return
    }
    count += 1
    const digest = hash('sha1', JSON.stringify(value), 'base64url')
    const mark = known.get(key)
    if (mark) mark.isListed = true
    else fresh.add(key)
    if (mark?.removed_by === 'details') contradicted.push(key)
    if (mark?.listed_digest === digest && mark.removed_by !== 'list') return
    answers.push({ source: 'list', key, value: asStored(value), digest, askedMs: 0 })
  }

  const end = (malformed: readonly unknown[]): Comparison => {
    const keys = malformed.map((row) => keyOfMalformed(kind, row))
    const unclear = new Set(keys.filter((key) => key !== undefined))
    const nameless = keys.filter((key) => key === undefined).length
    const missing: TimedAnswer[] = []
    let [current, lost] = [0, 0]
    for (const [key, { removed_by: goneBy, isListed }] of known) {
      if (goneBy === null) current += 1
      if (isListed || goneBy === 'list' || unclear.has(key)) continue
      if (goneBy === null) lost += 1
      missing.push({ source: 'list', key, value: undefined, askedMs: 0 })
    }
    // Of rows that nobody can name, each may be one that seems to be missing.
    if (lost <= nameless) [lost, missing.length] = [0, 0]
    const skipped = malformed.length + doubled
    return { answers: [...missing, ...answers], count, skipped, current, lost, contradicted }
  }
  return { take, end }
}

/** A list that is empty, or has lost more than a fifth, is more often a fault of the API than the truth. */
export const isHardToBelieve = ({
  current,
  lost,
}: {
  readonly current: number
  readonly lost: number
}): boolean => lost > current / 5

/** Whether it has been read again long enough after it was first doubted. */
export const isBelievedNow = (reading: Reading | undefined, doubtSeconds: number): boolean =>
  (reading?.doubtedSeconds ?? -1) >= doubtSeconds
