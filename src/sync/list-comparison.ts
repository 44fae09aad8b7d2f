import { hash } from 'node:crypto'
import { setImmediate as pause } from 'node:timers/promises'
import type { Rows } from '../management-api/parse.ts'
import type { Organisation } from '../organisation.ts'
import type { Reading } from '../store/readings.ts'
import { type Json, marksOf } from '../store/records.ts'
import type { TimedAnswer } from './apply.ts'
import { type ListKind, webhookKey } from './resources.ts'
import type { SyncSource } from './source.ts'

/** Rows looked at, or compared, before somebody else gets the event loop. */
const slice = 500
const marksAtOnce = 2000

type Item = { readonly value: Json; readonly digest: string }

/** PostgreSQL has no character NUL, and no half of a surrogate pair. */
const storable = (text: string): string => text.replaceAll('\0', '').toWellFormed()

/** What the API said as the store gives it back: without what is undefined, or cannot be stored. */
export const asStored = (value: Json): Json =>
  JSON.parse(
    JSON.stringify(value, (_name, member: unknown) =>
      typeof member === 'string' ? storable(member) : member,
    ),
  ) as Json

/** A list as the sync compares it. */
type Items = {
  /** Emptied as they are compared: what is left then is new. */
  readonly items: Map<string, Item>
  readonly count: number
  /** Keys of rows that are there and make no sense: what is known of them stays. */
  readonly unclear: ReadonlySet<string>
  /** How many more there are of which not even the key can be told. */
  readonly nameless: number
  readonly skipped: number
}

/** The key of a row that makes no sense otherwise, if it can be told. */
const keyOfMalformed = ({ idMember, msn }: ListKind, row: unknown): string | undefined => {
  const id: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, idMember) : undefined
  if (typeof id !== 'string' && typeof id !== 'number') return undefined
  return msn === undefined ? String(id) : webhookKey(msn, { id: String(id) })
}

/** The list's items by key. Of two with one id the first counts; items without one are told apart by their number. */
export const indexItems = async ({ rows, malformed }: Rows<Json>, kind: ListKind): Promise<Items> => {
  const items = new Map<string, Item>()
  let doubled = 0
  for (const [index, value] of rows.entries()) {
    let key = storable(kind.keyOf(value))
    for (let number = 2; key.startsWith('~') && items.has(key); number += 1)
      key = `${key.replace(/#\d+$/, '')}#${number}`
    if (items.has(key)) doubled += 1
    else items.set(key, { value, digest: hash('sha1', JSON.stringify(value), 'base64url') })
    if (index % slice === slice - 1) await pause()
  }
  const keys = malformed.map((row) => keyOfMalformed(kind, row))
  const unclear = new Set(keys.filter((key) => key !== undefined))
  const nameless = keys.filter((key) => key === undefined).length
  return { items, count: items.size, unclear, nameless, skipped: malformed.length + doubled }
}

type Comparison = {
  /** What must be written, at most: each is judged once more when its row is held. */
  readonly answers: TimedAnswer[]
  readonly current: number
  readonly lost: number
  /** In the list, though their details said that they are gone: worth another look at those. */
  readonly contradicted: readonly string[]
}

/** Reads the marks of all rows, in slices, and finds what differs. */
export const compare = async (
  { database }: SyncSource,
  organisation: Organisation,
  { table, msn }: ListKind,
  { items, unclear, nameless }: Items,
  askedMs: () => number,
): Promise<Comparison> => {
  const answers: TimedAnswer[] = []
  const missing: TimedAnswer[] = []
  const contradicted: string[] = []
  let [current, lost, after] = [0, 0, '']
  for (;;) {
    const marks = await marksOf(database.kysely, organisation, table, { after, limit: marksAtOnce, msn })
    for (const { key, listed_digest: digest, gone_by: goneBy } of marks) {
      const item = items.get(key)
      items.delete(key)
      if (goneBy === null) current += 1
      if (item && goneBy === 'details') contradicted.push(key)
      if (item && (item.digest !== digest || goneBy === 'list')) {
        const value = asStored(item.value)
        answers.push({ source: 'list', key, value, digest: item.digest, askedMs: askedMs() })
      } else if (!item && goneBy !== 'list' && !unclear.has(key)) {
        if (goneBy === null) lost += 1
        missing.push({ source: 'list', key, value: undefined, askedMs: askedMs() })
      }
    }
    const last = marks.at(-1)
    if (!last || marks.length < marksAtOnce) break
    after = last.key
  }
  // Of rows that nobody can name, each may be one that seems to be missing.
  if (lost > nameless) answers.push(...missing)
  else lost = 0
  let fresh = 0
  for (const [key, { value, digest }] of items) {
    answers.push({ source: 'list', key, value: asStored(value), digest, askedMs: askedMs() })
    if ((fresh += 1) % slice === 0) await pause()
  }
  return { answers, current, lost, contradicted }
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
