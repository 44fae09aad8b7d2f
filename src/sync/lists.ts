import { hash } from 'node:crypto'
import { setImmediate as pause } from 'node:timers/promises'
import { UpstreamNotFoundError } from '../errors.ts'
import type { Rows } from '../management-api/parse.ts'
import { type Organisation, organisationKey } from '../organisation.ts'
import {
  doubtReading,
  expectReadings,
  isActive,
  type ListResource,
  noteReadings,
  type Reading,
  readingOf,
  summarise,
  unreadCounts,
} from '../store/readings.ts'
import { type Json, marksOf } from '../store/records.ts'
import { countRows, productOrderFacets } from '../store/summaries.ts'
import { applyAnswers, type Tidy, type TimedAnswer } from './apply.ts'
import { failureOf } from './failure.ts'
import { type ListKind, lists, webhookKey } from './resources.ts'
import type { SyncSource } from './source.ts'

/** Rows looked at, or compared, before somebody else gets the event loop. */
const slice = 500
const marksAtOnce = 2000
const rowsInTransaction = 500

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
const indexItems = async ({ rows, malformed }: Rows<Json>, kind: ListKind): Promise<Items> => {
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
const compare = async (
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

const writeAnswers = async (
  { database }: SyncSource,
  organisation: Organisation,
  resource: ListResource,
  answers: readonly TimedAnswer[],
  asked: number,
  signal: AbortSignal,
  begun: () => Promise<void>,
): Promise<number> => {
  let written = 0
  for (let start = 0; start < answers.length && !signal.aborted; start += rowsInTransaction) {
    const batch = answers
      .slice(start, start + rowsInTransaction)
      .map((answer) => ({ ...answer, askedMs: performance.now() - asked }))
    written += await applyAnswers(database, organisation, lists[resource], batch)
    if (start === 0) await begun()
  }
  return written
}

/** Counts once what pages show without counting. */
export const summariseList = async (
  { database: { kysely } }: SyncSource,
  organisation: Organisation,
  resource: ListResource,
): Promise<void> => {
  const { table } = lists[resource]
  const total = await countRows(kysely, organisation, table)
  if (resource === 'salesUnits') {
    const unread = await unreadCounts(kysely, organisation)
    const done = Math.max(0, total - unread.salesUnits - unread.merchants)
    await summarise(kysely, organisation, resource, { total, done })
  } else {
    const facets = resource === 'productOrders' ? await productOrderFacets(kysely, organisation) : null
    await summarise(kysely, organisation, resource, { total, facets })
  }
}

/** The same after details were read. A list that has never been read stays unknown: none of it is not nothing. */
export const summariseAgain = async (
  source: SyncSource,
  organisation: Organisation,
  resource: ListResource,
): Promise<void> => {
  const reading = await readingOf(source.database.kysely, organisation, resource)
  if (reading && (reading.checkedAt || reading.total !== null))
    await summariseList(source, organisation, resource)
}

/** Of the API, or undefined where it has no such list (404). */
const readAll = async (
  { clientOf }: SyncSource,
  organisation: Organisation,
  resource: ListResource,
  signal: AbortSignal,
): Promise<Rows<Json> | undefined> => {
  const client = clientOf(organisation)
  // Sales unit keys would be answered with their sales unit's own, which are asked for with the others'.
  if (resource === 'webhooks' && client.onlyMsn !== undefined) return { rows: [], malformed: [] }
  try {
    return await lists[resource].read(client, { priority: 'list', signal })
  } catch (error) {
    if (error instanceof UpstreamNotFoundError) return undefined
    throw error
  }
}

/**
 * Reads one list of an organisation and brings the store in step with it. Never rejects for what the API does: it is
 * noted with the reading.
 * @param begun called when the first rows are written: their details can be read meanwhile
 * @returns rows written
 */
export const readList = async (
  source: SyncSource,
  tidy: Tidy,
  organisation: Organisation,
  resource: ListResource,
  signal: AbortSignal,
  begun: () => Promise<void>,
): Promise<number> => {
  const { database, settings, logger } = source
  const { kysely } = database
  const kind = lists[resource]
  const asked = performance.now()
  const askedMs = () => performance.now() - asked
  const line = { organisation: organisationKey(organisation), resource }
  let answer: Rows<Json> | undefined
  try {
    answer = await readAll(source, organisation, resource, signal)
  } catch (error) {
    if (signal.aborted) return 0
    const failure = failureOf(error)
    const retry = { nextInSeconds: settings.retrySeconds, mostSeconds: settings.listActiveSeconds }
    await noteReadings(kysely, organisation, [{ resource, key: '', askedMs: 0, failure, ...retry }])
    return 0
  }
  const indexed = await indexItems(answer ?? { rows: [], malformed: [] }, kind)
  const { count, skipped } = indexed
  const comparison = await compare(source, organisation, kind, indexed, askedMs)
  if (isHardToBelieve(comparison)) {
    const { current, lost } = comparison
    if (!isBelievedNow(await readingOf(kysely, organisation, resource), settings.doubtSeconds)) {
      logger.warn({ ...line, current, lost }, 'a list is not believed yet: it has lost too much at once')
      await doubtReading(kysely, organisation, resource, '', settings.doubtSeconds)
      return 0
    }
    logger.warn({ ...line, current, lost }, 'a list that has lost much was read twice, and is believed')
  }
  // A first list that is long takes a while to write: pages show how far it is.
  if (comparison.current === 0 && count > rowsInTransaction)
    await summarise(kysely, organisation, resource, { total: count, done: 0 })
  if (resource === 'salesUnits' || resource === 'productOrders') {
    const detail = resource === 'salesUnits' ? 'salesUnit' : 'productOrder'
    await expectReadings(kysely, organisation, detail, comparison.contradicted)
  }
  const written = await writeAnswers(source, organisation, resource, comparison.answers, asked, signal, begun)
  // What is not written yet differs when the list is read again.
  if (signal.aborted) return written
  await summariseList(source, organisation, resource)
  const active = await isActive(kysely, organisation, settings.activeForSeconds)
  const nextInSeconds = active ? settings.listActiveSeconds : settings.listIdleSeconds
  await noteReadings(kysely, organisation, [
    { resource, key: '', askedMs: askedMs(), nextInSeconds, skipped, available: answer !== undefined },
  ])
  logger.info({ ...line, rows: count, written, skipped, ms: Math.round(askedMs()) }, 'list read')
  await tidy(kind.table, written)
  return written
}
