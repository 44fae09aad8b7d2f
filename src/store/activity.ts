import { type RawBuilder, sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { orderStatuses } from '../domain/product-order.ts'
import { type Change, type ChangeKind, longestMomentMs } from './changes.ts'
import type { Handle } from './database.ts'
import { findThings, firstThings, type FoundThings, isOfThing, type Thing } from './things.ts'

/** The kinds of changes, in the order in which pages name them. */
export const changeKinds = ['added', 'changed', 'removed', 'returned'] as const

/** Selects changes of an organisation. */
export type ChangeFilter = {
  readonly resources: readonly string[]
  /** One kind; '' for all. */
  readonly kind: ChangeKind | ''
  /** Product orders that got this status; '' for all changes. */
  readonly status: string
  /** A text in the name or id of the record; '' for all. */
  readonly q: string
  readonly from: Date | undefined
  readonly before: Date | undefined
  /** By the time of the change itself, which may be later than its moment. */
  readonly since: Date | undefined
  /** One group. */
  readonly group: Omit<Position, 'id'> | undefined
  /** Only changes of which a viewer may see something. */
  readonly isForViewer: boolean
}

/** The filter that selects every change of these resources. */
export const everyChange: Omit<ChangeFilter, 'resources'> = {
  kind: '',
  status: '',
  q: '',
  from: undefined,
  before: undefined,
  since: undefined,
  group: undefined,
  isForViewer: false,
}

/** The place of a change in the order of changes; a group has that of its newest. */
export type Position = { readonly moment: Date; readonly alike: number; readonly id: string }

/** A part of the changes: those before (older than) or after a position, the newest without one. */
export type ChangesAsked = {
  readonly each: 'group' | 'change'
  readonly limit: number
  readonly before?: Position | undefined
  readonly after?: Position | undefined
}

/** Changes of one moment that are alike, newest first; `changes` are the first of them. */
export type ChangeGroup = {
  readonly position: Position
  readonly count: number
  readonly changes: readonly StoredChange[]
}

/** A change with its place. */
export type StoredChange = Change & { readonly id: string; readonly moment: Date; readonly status: string }

/** The most changes of a group that a page shows. */
const mostShown = 25
/** The number of newest changes that have a page of matches when many records match. */
const fewScanned = 600
/** The most changes that are looked at in order. */
const mostScanned = 8000
/** The changes of so few matching records of each resource are read record by record. */
const fewThings = 200
/** Up to so many matching records of a resource are listed; with more, each change is asked for its record. */
const mostThings = 2500

/** A search for changes. */
export type ChangeSearch = {
  readonly db: Handle
  readonly organisation: Organisation
  readonly filter: ChangeFilter
  /** Finds the records with the filter's text, of each resource all or up to `most`; undefined without a text. */
  readonly things: ((most: number) => Promise<FoundThings>) | undefined
}

/** Prepares a search, which then finds and counts changes. It looks for records when it needs them, and keeps them. */
export function searchChanges(db: Handle, organisation: Organisation, filter: ChangeFilter): ChangeSearch {
  let kept: { readonly most: number; readonly found: Promise<FoundThings> } | undefined
  const things = async (most: number): Promise<FoundThings> => {
    if (!kept || kept.most < most) kept = { most, found: findThings(db, organisation, filter, most) }
    return firstThings((await kept.found).things, most)
  }
  return { db, organisation, filter, things: filter.q === '' ? undefined : things }
}

/** The part of a search that is of some resources. */
export function ofResources({ filter, things, ...search }: ChangeSearch, resources: readonly string[]): ChangeSearch {
  const some = async (most: number): Promise<FoundThings> => {
    const found = await things?.(most)
    return {
      things: found?.things.filter(({ resource }) => resources.includes(resource)) ?? [],
      cut: found?.cut.intersection(new Set(resources)) ?? new Set(),
    }
  }
  return { ...search, filter: { ...filter, resources }, things: things && some }
}

/**
 * Groups of changes, newest first, or each change by itself. Without a text, each kind of change is read in order by its
 * index. With one, the newest change of each matching record bounds what is read when few match; when many do, the newest
 * changes are usually enough.
 */
export async function findChanges(search: ChangeSearch, asked: ChangesAsked): Promise<ChangeGroup[]> {
  const rows = await findRows(search, asked)
  const found = asked.after ? rows.toReversed() : rows
  const changes = await changesWith(
    search.db,
    found.flatMap(({ ids }) => ids),
  )
  return found.map(({ moment, alike, id, count, ids }) => ({
    position: { moment, alike, id },
    count,
    changes: ids.flatMap((one) => changes.get(one) ?? []),
  }))
}

async function findRows(search: ChangeSearch, asked: ChangesAsked): Promise<readonly Found[]> {
  const { db, organisation, filter, things: find } = search
  if (!find) return (await byKind(search, asked).execute(db)).rows
  const { things, cut } = await find(mostThings)
  if (cut.size > 0) {
    const isMatching = isOfThing(organisation, filter)
    for (const most of [fewScanned, mostScanned]) {
      const { rows } = await inOrder(search, asked, most, isMatching).execute(db)
      // The last of a full page may have been cut off, but it only tells that there are more.
      if (rows.length === asked.limit) return rows
    }
  } else if (things.length > fewThings) {
    const { rows } = await inOrder(search, asked, mostScanned, isOneOf(things)).execute(db)
    if (rows.length === asked.limit) return rows
  }
  const all = cut.size > 0 ? await find(Infinity) : { things }
  return (await byThing(search, asked, all.things).execute(db)).rows
}

type Found = Position & { readonly count: number; readonly ids: readonly string[] }

const grouped = sql`
  select c.moment, c.alike, max(c.id) as id, count(*)::int as count,
    (array_agg(c.id order by c.id desc))[1:${sql.lit(mostShown)}] as ids`

function byKind(search: ChangeSearch, asked: ChangesAsked): RawBuilder<Found> {
  const order = orderOf(asked)
  return sql<Found>`
    select found.* from ${combinations(search.filter)} cross join lateral (
      ${grouped} from changes c where ${selected(search, asked)} and ${isCombination}
      group by ${keysOf(asked)} order by ${order} limit ${asked.limit}) found
    order by ${order} limit ${asked.limit}`
}

/** SQL: the change `c` is of one of these records. As an array, which PostgreSQL hashes without giving up the order. */
function isOneOf(things: readonly Thing[]): RawBuilder<boolean> {
  const given = things.map(({ resource, key }) => `${resource} ${key}`)
  return sql<boolean>`c.resource || ' ' || c.key = any(${given}::text[])`
}

/** Records whose newest change is older than `limit` groups with the newest change of some record are left out. */
function byThing(search: ChangeSearch, asked: ChangesAsked, things: readonly Thing[]): RawBuilder<Found> {
  const [order, keys] = [orderOf(asked), keysOf(asked)]
  const ofThing = (limit: number) => sql`
    select c.moment, c.alike, c.id from changes c
    where ${selected(search, asked)} and c.resource = thing.resource and c.key = thing.key and ${hasKind(search.filter)}
    order by ${orderOf({ ...asked, each: 'change' })} limit ${limit}`
  return sql<Found>`
    with newest as materialized (
      select thing.resource, thing.key, c.* from ${relationOf(things)} cross join lateral (${ofThing(1)}) c
    ), bound as (
      select * from (select distinct ${keys} from newest) found order by ${order} offset ${asked.limit - 1} limit 1)
    ${grouped} from newest thing cross join lateral (${ofThing(asked.limit)}) c
    where coalesce((${keysOf(asked, 'thing.')}) ${asked.after ? sql`<=` : sql`>=`} (select ${keys} from bound), true)
    group by ${keysOf(asked, 'c.')} order by ${orderOf(asked, 'c.')} limit ${asked.limit}`
}

/** Looks at the newest changes in order, up to `most`, until the page is full. */
function inOrder(
  search: ChangeSearch,
  asked: ChangesAsked,
  most: number,
  isMatching: RawBuilder<boolean>,
): RawBuilder<Found> {
  const { filter } = search
  const order = orderOf({ ...asked, each: 'change' })
  const newest = (where: RawBuilder<unknown>) => sql`
    (select c.moment, c.alike, c.id, c.resource, c.key from changes c
    where ${selected(search, asked)} and ${where} order by ${order} limit ${most})`
  // PostgreSQL merges the combinations, each in the order of its index, and reads no more of them than it needs.
  const sources =
    filter.kind === '' && filter.status === ''
      ? [newest(sql`true`)]
      : combinationsOf(filter).map(({ resource, kind, status }) =>
          newest(sql`c.resource = ${resource} and c.kind = ${kind} and c.status = ${status}`),
        )
  return sql<Found>`
    ${grouped} from (
      select c.* from (${sql.join(sources, sql` union all `)}) c order by ${order} limit ${most}) c
    where ${isMatching}
    group by ${keysOf(asked)} order by ${orderOf(asked)} limit ${asked.limit}`
}

function keysOf({ each }: Pick<ChangesAsked, 'each'>, prefix = ''): RawBuilder<unknown> {
  return sql.raw(
    keyNames(each)
      .map((name) => `${prefix}${name}`)
      .join(', '),
  )
}

function orderOf({ each, after }: Pick<ChangesAsked, 'each' | 'after'>, prefix = ''): RawBuilder<unknown> {
  return sql.raw(
    keyNames(each)
      .map((name) => `${prefix}${name} ${after ? 'asc' : 'desc'}`)
      .join(', '),
  )
}

/** The columns that tell groups, or changes, apart. */
function keyNames(each: ChangesAsked['each']): readonly string[] {
  return ['moment', 'alike', ...(each === 'group' ? [] : ['id'])]
}

/** How many changes there are of each resource; with `more` at least so many. */
export type ChangeCounts = ReadonlyMap<string, { readonly count: number; readonly more: boolean }>

/** Counts the changes of each resource, up to `most` each; with a text, those of the kind among so many. */
export async function countChanges(search: ChangeSearch, most: number): Promise<ChangeCounts> {
  // The changes of few records are often enough to say that there are more than `most`.
  const counts = await countFound(search, most, await search.things?.(fewThings))
  const unsure = [...counts].flatMap(([resource, { more, isCut }]) => (isCut && !more ? [resource] : []))
  if (unsure.length > 0) {
    const rest = ofResources(search, unsure)
    for (const [resource, count] of await countFound(rest, most, await rest.things?.(mostThings))) {
      counts.set(resource, { ...count, more: count.more || count.isCut })
    }
  }
  return counts
}

async function countFound(search: ChangeSearch, most: number, found: FoundThings | undefined) {
  const { db, filter } = search
  const [relation, ofRow] = found
    ? [relationOf(found.things), sql`c.resource = thing.resource and c.key = thing.key`]
    : [combinations(filter), isCombination]
  const resource = sql.ref(found ? 'thing.resource' : 'combination.resource')
  const { rows } = await sql<{ resource: string; scanned: number; count: number }>`
    select given.resource, counted.* from unnest(${filter.resources}::text[]) as given (resource)
    cross join lateral (
      select count(*)::int as scanned, (count(*) filter (where ${hasKind(filter)}))::int as count from (
        select c.kind, c.status from ${relation} cross join lateral (
          select c.kind, c.status from changes c where ${selected(search)} and ${ofRow} limit ${most + 1}) c
        where ${resource} = given.resource limit ${most + 1}) c) counted`.execute(db)
  return new Map(
    rows.map(({ resource: of, scanned, count }) => [
      of,
      { count: Math.min(count, most), more: scanned > most, isCut: found?.cut.has(of) ?? false },
    ]),
  )
}

/** SQL: the change `c` is of the organisation, and selected by all of the filter but resource, kind and text. */
function selected({ organisation, filter }: ChangeSearch, asked: Partial<ChangesAsked> = {}): RawBuilder<boolean> {
  const { from, before, since, group, isForViewer } = filter
  const conditions = [
    sql`c.organisation = ${organisationKey(organisation)}`,
    ...(from ? [sql`c.moment >= ${from}`] : []),
    ...(before ? [sql`c.moment < ${before}`] : []),
    ...(since
      ? [sql`c.moment >= ${new Date(since.getTime() - longestMomentMs)} and (c.at, c.id) >= (${since}::timestamptz, 0)`]
      : []),
    ...(group ? [sql`c.moment = ${group.moment} and c.alike = ${group.alike}`] : []),
    ...(asked.before ? [beyond(asked.before, sql`<`, asked)] : []),
    ...(asked.after ? [beyond(asked.after, sql`>`, asked)] : []),
    ...(isForViewer ? [sql`c.for_viewers`] : []),
  ]
  return sql<boolean>`${sql.join(conditions, sql` and `)}`
}

function beyond(
  { moment, alike, id }: Position,
  sign: RawBuilder<unknown>,
  { each }: Partial<ChangesAsked>,
): RawBuilder<boolean> {
  return each === 'change'
    ? sql<boolean>`(c.moment, c.alike, c.id) ${sign} (${moment}::timestamptz, ${alike}::int, ${id}::bigint)`
    : sql<boolean>`(c.moment, c.alike) ${sign} (${moment}::timestamptz, ${alike}::int)`
}

function hasKind({ kind, status }: ChangeFilter): RawBuilder<boolean> {
  return sql<boolean>`
    ${kind === '' ? sql`true` : sql`c.kind = ${kind}`} and ${status === '' ? sql`true` : sql`c.status = ${status}`}`
}

/** Every combination of resource, kind and status that the filter selects: the prefixes of the index `changes_kind`. */
function combinationsOf({ resources, kind, status }: ChangeFilter): readonly Combination[] {
  return resources.flatMap((resource) =>
    changeKinds
      .filter((one) => kind === '' || one === kind)
      .flatMap((one) =>
        (resource === 'productOrder' && (one === 'added' || one === 'changed') ? ['', ...orderStatuses] : [''])
          .filter((given) => status === '' || given === status)
          .map((given) => ({ resource, kind: one, status: given })),
      ),
  )
}

type Combination = { readonly resource: string; readonly kind: ChangeKind; readonly status: string }

function combinations(filter: ChangeFilter): RawBuilder<unknown> {
  const all = combinationsOf(filter)
  return sql`
    unnest(${all.map((one) => one.resource)}::text[], ${all.map((one) => one.kind)}::text[],
      ${all.map((one) => one.status)}::text[]) as combination (resource, kind, status)`
}

const isCombination = sql<boolean>`
  c.resource = combination.resource and c.kind = combination.kind and c.status = combination.status`

function relationOf(things: readonly Thing[]): RawBuilder<unknown> {
  return sql`
    unnest(${things.map(({ resource }) => resource)}::text[], ${things.map(({ key }) => key)}::text[])
      as thing (resource, key)`
}

async function changesWith(db: Handle, ids: readonly string[]): Promise<Map<string, StoredChange>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('changes')
    .select(['id', 'at', 'moment', 'resource', 'key', 'kind', 'status', 'fields'])
    .where('id', 'in', ids)
    .execute()
  return new Map(rows.map((row) => [row.id, row as StoredChange]))
}
