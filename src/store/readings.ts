import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../organisation.ts'
import type { Handle } from './database.ts'

/** What is read whole, a call each. `webhooks` are the organisation's own. */
export const listResources = [
  'salesUnits',
  'productOrders',
  'pricePackages',
  'templates',
  'webhooks',
] as const
export type ListResource = (typeof listResources)[number]

/** What is read one by one, a call a key: an MSN, `scheme/id`, an order's id. */
export type DetailResource = 'salesUnit' | 'merchant' | 'productOrder' | 'salesUnitWebhooks'

export type Resource = ListResource | DetailResource

/** What is known of the reading of one thing. Times are the database's. */
export type Reading = {
  readonly resource: Resource
  readonly key: string
  /** When the API was asked for what is there now; null: never. */
  readonly checkedAt: Date | null
  readonly failingSince: Date | null
  readonly failure: 'unavailable' | 'refused' | null
  /** When the API's answer was first such that it was not believed, and how long ago that is. */
  readonly doubtedAt: Date | null
  readonly doubtedSeconds: number | null
  /** Somebody waits for it, and it has not been tried since. */
  readonly wanted: boolean
  /** False where the API has no such list. */
  readonly available: boolean
  /** Rows of the last answer that made no sense. */
  readonly skipped: number
  /** Lists: how many rows there are; sales units: how many of them have been read in full. */
  readonly total: number | null
  readonly done: number | null
  readonly facets: unknown
}

const selectReadings = (db: Handle, organisation: Organisation) =>
  db
    .selectFrom('readings')
    .select(['resource', 'key', 'failure', 'available', 'skipped', 'total', 'done', 'facets'])
    .select(['checked_at as checkedAt', 'failing_since as failingSince', 'doubted_at as doubtedAt'])
    .select([
      sql<number | null>`extract(epoch from now() - doubted_at)::float8`.as('doubtedSeconds'),
      sql<boolean>`wanted_at is not null`.as('wanted'),
    ])
    .where('organisation', '=', organisationKey(organisation))

/** The readings of an organisation's lists. */
export const listReadings = async (db: Handle, organisation: Organisation): Promise<Reading[]> => {
  const rows = await selectReadings(db, organisation)
    .where('resource', 'in', listResources)
    .where('key', '=', '')
    .execute()
  return rows as Reading[]
}

/** One reading; undefined when nobody has ever asked for it. */
export const readingOf = async (
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  key = '',
): Promise<Reading | undefined> => {
  const query = selectReadings(db, organisation).where('resource', '=', resource).where('key', '=', key)
  return (await query.executeTakeFirst()) as Reading | undefined
}

/** Sees to it that these will be read, now or in up to `spreadSeconds`; what is known already stays as it is. */
export const expectReadings = async (
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  keys: readonly string[],
  spreadSeconds = 0,
): Promise<void> => {
  if (keys.length === 0) return
  await sql`
    insert into readings (organisation, resource, key, due_at)
    select ${organisationKey(organisation)}, ${resource}, key,
      case when ${spreadSeconds}::float8 = 0 then 'epoch'::timestamptz
        else now() + random() * ${spreadSeconds}::float8 * interval '1 second' end
    from unnest(${keys}::text[]) as key
    on conflict (organisation, resource, key) do update set due_at = 'epoch'
    where readings.due_at = 'infinity'`.execute(db)
}

/** These are not read again by themselves: what they are about is gone. */
export const forgetReadings = async (
  db: Handle,
  organisation: Organisation,
  resources: readonly DetailResource[],
  keys: readonly string[],
): Promise<void> => {
  if (keys.length === 0) return
  await sql`
    update readings set due_at = 'infinity', wanted_at = null
    where organisation = ${organisationKey(organisation)} and resource = any(${resources}) and key = any(${keys})
  `.execute(db)
}

/**
 * Somebody waits for these, or looks at them: they go before everything else.
 * @param options.onlyUnread not those that have been read meanwhile
 */
export const wantReadings = async (
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  keys: readonly string[],
  options: { readonly onlyUnread: boolean },
): Promise<void> => {
  await sql`
    insert into readings (organisation, resource, key, due_at, wanted_at)
    select ${organisationKey(organisation)}, ${resource}, key, 'epoch', now() from unnest(${keys}::text[]) as key
    on conflict (organisation, resource, key) do update set wanted_at = coalesce(readings.wanted_at, now())
    where readings.checked_at is null or not ${options.onlyUnread}::boolean
  `.execute(db)
}

type Due = { readonly resource: DetailResource; readonly key: string }

/**
 * The next details to read: what somebody looks at, then what has never been read, then the oldest. Webhooks of
 * sales units come last, and only where nothing else is due.
 * @param options.busy `resource key` of what is being read already
 * @param options.queued the same of what is going to be: left out too, unless somebody looks at it
 * @returns `wanted`: whether it is what somebody looks at
 */
export const dueDetails = async (
  db: Handle,
  organisation: Organisation,
  options: {
    readonly limit: number
    readonly busy: readonly string[]
    readonly queued: readonly string[]
  },
): Promise<{ readonly tasks: readonly Due[]; readonly wanted: boolean }> => {
  const key = organisationKey(organisation)
  const { limit, busy, queued } = options
  const free = sql`resource || ' ' || key <> all(${[...busy, ...queued]})`
  const due = (resource: DetailResource) => sql`(
    select resource, key, due_at from readings
    where organisation = ${key} and resource = ${resource} and due_at <= now() and ${free}
    order by due_at, key limit ${limit})`
  const wanted = await sql<Due>`
    select resource, key from readings
    where organisation = ${key} and wanted_at is not null and readings.key <> ''
      and resource || ' ' || key <> all(${busy})
    order by wanted_at limit ${limit}`.execute(db)
  if (wanted.rows.length > 0) return { tasks: wanted.rows, wanted: true }
  const { rows } = await sql<Due>`
    select resource, key from (
      ${due('salesUnit')} union all ${due('merchant')} union all ${due('productOrder')}) due
    order by due_at, resource, key limit ${limit}`.execute(db)
  if (rows.length > 0) return { tasks: rows, wanted: false }
  const { rows: webhooks } = await sql<Due>`
    select resource, key from ${due('salesUnitWebhooks')} due order by due_at, key`.execute(db)
  return { tasks: webhooks, wanted: false }
}

/** What is due or wanted of these organisations: lists one by one, details an organisation. */
export type DueWork = {
  readonly lists: readonly { readonly organisation: string; readonly resource: ListResource }[]
  /** `wanted` when somebody looks at one of them. */
  readonly details: readonly { readonly organisation: string; readonly wanted: boolean }[]
}

/** @param organisations by organisationKey() */
export const dueOrganisations = async (db: Handle, organisations: readonly string[]): Promise<DueWork> => {
  const lists = await sql<{ organisation: string; resource: ListResource }>`
    select organisation, resource from readings
    where organisation = any(${organisations}) and key = '' and resource = any(${listResources})
      and (due_at <= now() or wanted_at is not null)`.execute(db)
  const details = await sql<{ organisation: string; wanted: boolean }>`
    select o.organisation, wanted from unnest(${organisations}::text[]) as o(organisation),
      lateral (select exists (
        select from readings r where r.organisation = o.organisation and r.wanted_at is not null and r.key <> ''
      ) as wanted) w
    where wanted or exists (
      select from unnest(array['salesUnit', 'merchant', 'productOrder', 'salesUnitWebhooks']) as d(resource)
      where exists (
        select from readings r
        where r.organisation = o.organisation and r.resource = d.resource and r.due_at <= now()))`.execute(db)
  return { lists: lists.rows, details: details.rows }
}

/** Whether a list is due or wanted: a job for it may have waited behind one that has read it. */
export const isListDue = async (
  db: Handle,
  organisation: Organisation,
  resource: ListResource,
): Promise<boolean> => {
  const { rows } = await sql`
    select from readings
    where organisation = ${organisationKey(organisation)} and resource = ${resource} and key = ''
      and (due_at <= now() or wanted_at is not null)`.execute(db)
  return rows.length > 0
}

/** How a reading of one thing went. `askedMs`: how long ago the API was asked. */
export type Outcome = { readonly resource: Resource; readonly key: string; readonly askedMs: number } & (
  | {
      readonly failure?: undefined
      /** When it is to be read next; Infinity: not by itself. */
      readonly nextInSeconds: number
      readonly skipped?: number
      readonly available?: boolean
    }
  | {
      readonly failure: 'unavailable' | 'refused'
      /** After the first failure it is tried again in so many seconds, after each further one in twice as many, up to `most`. */
      readonly nextInSeconds: number
      readonly mostSeconds: number
    }
)

/**
 * Notes how readings went. A success forgets the failures before it; a failure leaves what is there and when it was
 * checked. Times are spread by a tenth, so that what was read together is not read together for ever.
 */
export const noteReadings = async (
  db: Handle,
  organisation: Organisation,
  outcomes: readonly Outcome[],
): Promise<void> => {
  if (outcomes.length === 0) return
  const rows = outcomes.map((outcome) => ({
    skipped: 0,
    available: true,
    mostSeconds: 0,
    ...outcome,
    nextInSeconds: Number.isFinite(outcome.nextInSeconds) ? outcome.nextInSeconds : null,
  }))
  await sql`
    insert into readings as r (organisation, resource, key, due_at, checked_at, failing_since, failures, failure, skipped, available)
    select ${organisationKey(organisation)}, o.resource, o.key,
      coalesce(now() + interval '1 second' * (0.9 + random() / 5)
        * case when o.failure is null then o.next else least(o.most, o.next * 2 ^ least(coalesce(old.failures, 0), 20)) end,
        'infinity'),
      case when o.failure is null then now() - o.asked * interval '1 millisecond' end,
      case when o.failure is not null then now() end, case when o.failure is null then 0 else 1 end,
      o.failure, o.skipped, o.available
    from jsonb_to_recordset(${JSON.stringify(
      rows.map(({ askedMs: asked, nextInSeconds: next, mostSeconds: most, ...row }) => ({
        asked,
        next,
        most,
        ...row,
      })),
    )}::jsonb) as o(
      resource text, key text, asked float8, next float8, most float8, failure text, skipped int, available boolean)
    left join readings old on old.organisation = ${organisationKey(organisation)}
      and old.resource = o.resource and old.key = o.key
    on conflict (organisation, resource, key) do update set
      due_at = excluded.due_at,
      wanted_at = null,
      checked_at = greatest(excluded.checked_at, r.checked_at),
      failing_since = case when excluded.failure is not null then coalesce(r.failing_since, excluded.failing_since) end,
      failures = case when excluded.failure is null then 0 else r.failures + 1 end,
      failure = excluded.failure,
      doubted_at = case when excluded.failure is null then null else r.doubted_at end,
      skipped = case when excluded.failure is null then excluded.skipped else r.skipped end,
      available = case when excluded.failure is null then excluded.available else r.available end`.execute(db)
}

/** The last answer was not believed: it is read again `seconds` after it was first doubted. There was one: nothing fails. */
export const doubtReading = async (
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  key: string,
  seconds: number,
): Promise<void> => {
  await sql`
    update readings set doubted_at = coalesce(doubted_at, now()), wanted_at = null,
      failing_since = null, failures = 0, failure = null,
      due_at = coalesce(doubted_at, now()) + ${seconds}::float8 * interval '1 second'
    where organisation = ${organisationKey(organisation)} and resource = ${resource} and key = ${key}`.execute(
    db,
  )
}

/** How many rows a list has now, and whatever else its page shows without counting. */
export const summarise = async (
  db: Handle,
  organisation: Organisation,
  resource: ListResource,
  summary: { readonly total: number; readonly done?: number | null; readonly facets?: unknown },
): Promise<void> => {
  const { total, done = null, facets = null } = summary
  await db
    .updateTable('readings')
    .set({ total, done, facets: facets === null ? null : JSON.stringify(facets) })
    .where('organisation', '=', organisationKey(organisation))
    .where('resource', '=', resource)
    .where('key', '=', '')
    .execute()
}

/**
 * Notes that somebody of the organisation is here. Whoever was idle becomes active: its lists are then due by the
 * shorter period, counted from when they were checked.
 * @returns since when it has been active
 */
export const noteActivity = async (
  db: Handle,
  organisation: Organisation,
  periods: { readonly activeForSeconds: number; readonly listSeconds: number },
): Promise<Date> => {
  const key = organisationKey(organisation)
  const { rows } = await sql<{ since: Date; began: boolean }>`
    insert into activity as a (organisation, since, active_at) values (${key}, now(), now())
    on conflict (organisation) do update set active_at = now(),
      since = case when a.active_at < now() - ${periods.activeForSeconds}::float8 * interval '1 second'
        then now() else a.since end
    returning since, since = now() as began`.execute(db)
  const [row] = rows
  if (row?.began) {
    await sql`
      update readings set due_at = least(due_at, checked_at + ${periods.listSeconds}::float8 * interval '1 second')
      where organisation = ${key} and key = '' and resource = any(${listResources}) and checked_at is not null
        and failing_since is null`.execute(db)
  }
  return row?.since ?? new Date()
}

/** Whether anybody of the organisation has been here within `seconds`. */
export const isActive = async (db: Handle, organisation: Organisation, seconds: number): Promise<boolean> => {
  const { rows } = await sql<{ active: boolean }>`
    select active_at > now() - ${seconds}::float8 * interval '1 second' as active from activity
    where organisation = ${organisationKey(organisation)}`.execute(db)
  return rows[0]?.active ?? false
}

/** How many sales units, and how many of their merchants, have never been read. */
export const unreadCounts = async (
  db: Handle,
  organisation: Organisation,
): Promise<{ readonly salesUnits: number; readonly merchants: number }> => {
  const { rows } = await sql<{ resource: string; unread: number }>`
    select resource, count(*)::int as unread from readings
    where organisation = ${organisationKey(organisation)} and checked_at is null
      and resource in ('salesUnit', 'merchant') and due_at < 'infinity' group by resource`.execute(db)
  const of = (resource: string) => rows.find((row) => row.resource === resource)?.unread ?? 0
  return { salesUnits: of('salesUnit'), merchants: of('merchant') }
}

/** How the readings of one resource of an organisation stand. Times are the database's, `at` is its now. */
export type Backlog = {
  /** By organisationKey(). */
  readonly organisation: string
  readonly resource: Resource
  /** How many there are, and how many of them are due now, were never read, and failed when they were last tried. */
  readonly count: number
  readonly due: number
  readonly unread: number
  readonly failing: number
  /** Of those that fail, how many because the keys were refused. */
  readonly refused: number
  /** Due, and not only because it failed and is tried again; and what is neither untried nor failing. */
  readonly untried: number
  readonly read: number
  /** Lists: how many rows they have, null when that is not known. */
  readonly total: number | null
  readonly oldestCheckedAt: Date | null
  readonly newestCheckedAt: Date | null
  readonly failingSince: Date | null
  readonly doubtedAt: Date | null
  readonly at: Date
}

/**
 * How the readings of these organisations stand, a line a resource; what is not read again by itself is left out.
 * @param organisations by organisationKey()
 */
export const backlogsOf = async (db: Handle, organisations: readonly string[]): Promise<Backlog[]> => {
  const { rows } = await sql<Backlog>`
    select organisation, resource, count(*)::int as count,
      count(*) filter (where due_at <= now() or wanted_at is not null)::int as due,
      count(*) filter (where checked_at is null)::int as unread,
      count(*) filter (where failures > 0)::int as failing,
      count(*) filter (where failure = 'refused')::int as refused,
      count(*) filter (where untried)::int as untried,
      count(*) filter (where failures = 0 and not untried)::int as read,
      max(total) filter (where key = '') as total,
      min(checked_at) as "oldestCheckedAt", max(checked_at) as "newestCheckedAt",
      min(failing_since) as "failingSince", min(doubted_at) as "doubtedAt", now() as at
    from (
      select *, wanted_at is not null or due_at = 'epoch' or (due_at <= now() and failures = 0) as untried
      from readings
      where organisation = any(${organisations}) and (due_at < 'infinity' or wanted_at is not null)
    ) r
    group by organisation, resource order by organisation, resource`.execute(db)
  return rows
}

/** The same of one organisation. */
export const backlogOf = async (db: Handle, organisation: Organisation): Promise<Backlog[]> =>
  backlogsOf(db, [organisationKey(organisation)])

/** So many are made due in one statement: very many take a while, and pages must not wait for that. */
const dueAtOnce = 5000

/**
 * Everything of the organisation is due now: its lists, and each record unless `listsOnly`. What is being written
 * meanwhile is left for last, so that neither waits for the other.
 */
export const makeDue = async (
  db: Handle,
  organisation: Organisation,
  options: { readonly listsOnly: boolean },
): Promise<void> => {
  const lists = options.listsOnly ? sql`key = '' and resource = any(${listResources})` : sql`true`
  const { rows } = await sql<{ now: Date }>`select now()`.execute(db)
  const notDue = sql`
    organisation = ${organisationKey(organisation)} and due_at > 'epoch' and due_at < 'infinity' and ${lists}
      and (checked_at is null or checked_at < ${rows[0]?.now})`
  const makeSomeDue = async (): Promise<bigint> => {
    const { numAffectedRows = 0n } = await sql`
      update readings set due_at = 'epoch' where ctid = any(array(
        select ctid from readings where ${notDue} limit ${dueAtOnce} for update skip locked))`.execute(db)
    return numAffectedRows
  }
  while ((await makeSomeDue()) > 0n);
  await sql`update readings set due_at = 'epoch' where ${notDue}`.execute(db)
}
