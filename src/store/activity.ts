import { type RawBuilder, sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { orderStatuses } from '../domain/product-order.ts'
import { type Change, type ChangeKind, longestMomentMs } from './changes.ts'
import type { Handle } from './database.ts'
import { findThings, type FoundThings, isOfThing, type Thing } from './things.ts'

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
/** The most records of a resource that a text is asked for at first. */
const mostThings = 1500
/** With more matching records than this, the newest changes are looked at first, whosever they are. */
const fewThings = 200
/** How many changes are looked at so, of each kind if the filter has one. */
const mostScanned = 8000

/** A search for changes, and the records that its text matches; undefined without a text. */
export type ChangeSearch = {
  readonly db: Handle
  readonly organisation: Organisation
  readonly filter: ChangeFilter
  readonly found: FoundThings | undefined
}

/** Prepares a search, which then finds and counts changes. */
export async function searchChanges(
  db: Handle,
  organisation: Organisation,
  filter: ChangeFilter,
): Promise<ChangeSearch> {
  const found = filter.q === '' ? undefined : await findThings(db, organisation, filter, mostThings)
  return { db, organisation, filter, found }
}

/** The part of a search that is of one resource. */
export function ofResource({ filter, found, ...search }: ChangeSearch, resource: string): ChangeSearch {
  const things = found?.things.filter((thing) => thing.resource === resource)
  return { ...search, filter: { ...filter, resources: [resource] }, found: found && things && { ...found, things } }
}

/**
 * Groups of changes, newest first, or each change by itself. Without a text, each kind of change is read in order by its
 * index. With one, the newest change of each matching record bounds what is read; when many records match, the newest
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
  const { db, organisation, filter, found } = search
  if (!found) return (await byKind(search, asked).execute(db)).rows
  const isOfKind = filter.kind !== '' || filter.status !== ''
  if (isCut(search) || (found.things.length > fewThings && !isOfKind)) {
    const { rows } = await (isOfKind ? byKind : inOrder)(search, asked).execute(db)
    // The last one may have been cut off, but it only tells that there are more.
    if (rows.length === asked.limit) return rows
  }
  const all = isCut(search) ? await findThings(db, organisation, filter) : found
  return (await byThing({ ...search, found: all }, asked).execute(db)).rows
}

function isCut({ filter, found }: ChangeSearch): boolean {
  return filter.resources.some((resource) => found?.cut.has(resource))
}

const nothing: FoundThings = { things: [], cut: new Set() }

type Found = Position & { readonly count: number; readonly ids: readonly string[] }

const grouped = sql`
  select c.moment, c.alike, max(c.id) as id, count(*)::int as count,
    (array_agg(c.id order by c.id desc))[1:${sql.lit(mostShown)}] as ids`

function byKind(search: ChangeSearch, asked: ChangesAsked): RawBuilder<Found> {
  const order = orderOf(asked)
  const all = sql`from changes c where ${selected(search, asked)} and ${isCombination}`
  // With a text, all kinds are looked at back to the same moment.
  const farthest = sql`
    select ${asked.after ? sql`min` : sql`max`}(moment) from ${combinations(search.filter)} cross join lateral (
      select c.moment ${all} order by ${orderOf({ ...asked, each: 'change' })} offset ${mostScanned} limit 1) c`
  const isNear = asked.after
    ? sql`c.moment <= coalesce((${farthest}), 'infinity')`
    : sql`c.moment >= coalesce((${farthest}), '-infinity')`
  const some = search.found ? sql`${all} and ${isNear} and ${isOfText(search)}` : all
  return sql<Found>`
    select found.* from ${combinations(search.filter)} cross join lateral (
      ${grouped} ${some} group by ${keysOf(asked)} order by ${order} limit ${asked.limit}) found
    order by ${order} limit ${asked.limit}`
}

/** SQL: the record of the change `c` has the text. */
function isOfText(search: ChangeSearch): RawBuilder<boolean> {
  const { organisation, filter, found: { things } = nothing } = search
  if (isCut(search)) return isOfThing(organisation, filter)
  return sql`(c.resource, c.key) in (select thing.resource, thing.key from ${relationOf(things)})`
}

/** Records whose newest change is older than `limit` groups with the newest change of some record are left out. */
function byThing(search: ChangeSearch, asked: ChangesAsked): RawBuilder<Found> {
  const { filter, found: { things } = nothing } = search
  const [order, keys] = [orderOf(asked), keysOf(asked)]
  const ofThing = (limit: number) => sql`
    select c.moment, c.alike, c.id from changes c
    where ${selected(search, asked)} and c.resource = thing.resource and c.key = thing.key and ${hasKind(filter)}
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

function inOrder(search: ChangeSearch, asked: ChangesAsked): RawBuilder<Found> {
  const first = sql`
    select c.* from changes c where ${selected(search, asked)}
    order by ${orderOf({ ...asked, each: 'change' })} limit ${mostScanned}`
  return sql<Found>`
    ${grouped} from (${first}) c where ${isOfText(search)}
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
  const { db, filter, found } = search
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
      { count: Math.min(count, most), more: scanned > most || (found?.cut.has(of) ?? false) },
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
function combinations({ resources, kind, status }: ChangeFilter): RawBuilder<unknown> {
  const all = resources.flatMap((resource) =>
    changeKinds
      .filter((one) => kind === '' || one === kind)
      .flatMap((one) =>
        (resource === 'productOrder' && (one === 'added' || one === 'changed') ? ['', ...orderStatuses] : [''])
          .filter((given) => status === '' || given === status)
          .map((given) => ({ resource, kind: one, status: given })),
      ),
  )
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
