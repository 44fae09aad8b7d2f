import { type RawBuilder, sql } from 'kysely'
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

const readingsWhere = (organisation: Organisation, where: RawBuilder<unknown>) => sql<Reading>`
  select resource, key, failure, available, skipped, total, done, facets,
    checked_at as "checkedAt", failing_since as "failingSince", suspect_since as "doubtedAt",
    extract(epoch from now() - suspect_since)::float8 as "doubtedSeconds", requested_at is not null as wanted
  from sync_state where organisation = ${organisationKey(organisation)} and ${where}`

type Times = 'checkedAt' | 'failingSince' | 'doubtedAt'
type InJson = Omit<Reading, Times> & Readonly<Record<Times, string | null>>

const timeOf = (text: string | null): Date | null => (text === null ? null : new Date(text))

/** The readings of an organisation's lists; in one text, because every page asks. */
export const listReadings = async (db: Handle, organisation: Organisation): Promise<Reading[]> => {
  const ofLists = readingsWhere(organisation, sql`key = '' and resource = any(${listResources})`)
  const { rows } = await sql<{ lists: InJson[] | null }>`
    select json_agg(list) as lists from (${ofLists}) list`.execute(db)
  return (rows[0]?.lists ?? []).map(({ checkedAt, failingSince, doubtedAt, ...reading }) => ({
    ...reading,
    checkedAt: timeOf(checkedAt),
    failingSince: timeOf(failingSince),
    doubtedAt: timeOf(doubtedAt),
  }))
}

/** One reading; undefined when nobody has ever asked for it. */
export const readingOf = async (
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  key = '',
): Promise<Reading | undefined> => {
  const ofThis = sql`resource = ${resource} and key = ${key}`
  return (await readingsWhere(organisation, ofThis).execute(db)).rows[0]
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
 * checked. Times are spread by a tenth, so that what was read together is not read together for ever. What is not
 * read by itself stays so: what it is about may have gone while it was being read.
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
    insert into sync_state as r (organisation, resource, key, due_at, checked_at, failing_since, failures, failure, skipped, available)
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
    left join sync_state old on old.organisation = ${organisationKey(organisation)}
      and old.resource = o.resource and old.key = o.key
    on conflict (organisation, resource, key) do update set
      due_at = case when r.due_at = 'infinity' and (excluded.failure is null or r.resource = 'salesUnitWebhooks')
        then r.due_at else excluded.due_at end,
      requested_at = null,
      checked_at = greatest(excluded.checked_at, r.checked_at),
      failing_since = case when excluded.failure is not null then coalesce(r.failing_since, excluded.failing_since) end,
      failures = case when excluded.failure is null then 0 else r.failures + 1 end,
      failure = excluded.failure,
      suspect_since = case when excluded.failure is null then null else r.suspect_since end,
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
    update sync_state set suspect_since = coalesce(suspect_since, now()), requested_at = null,
      failing_since = null, failures = 0, failure = null,
      due_at = coalesce(suspect_since, now()) + ${seconds}::float8 * interval '1 second'
    where organisation = ${organisationKey(organisation)} and resource = ${resource} and key = ${key}`.execute(
    db,
  )
}

/** How many rows a list has now, and whatever else its page shows without counting; undefined facets stay as they are. */
export const summarise = async (
  db: Handle,
  organisation: Organisation,
  resource: ListResource,
  summary: { readonly total: number; readonly done?: number | null; readonly facets?: unknown },
): Promise<void> => {
  const { total, done = null, facets } = summary
  await db
    .updateTable('sync_state')
    .set({
      total,
      done,
      ...(facets === undefined ? {} : { facets: facets === null ? null : JSON.stringify(facets) }),
    })
    .where('organisation', '=', organisationKey(organisation))
    .where('resource', '=', resource)
    .where('key', '=', '')
    .execute()
}
