import { type RawBuilder, sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'

/** The lists, read whole with one call each. `webhooks` are the organisation's own. */
export const listResources = ['salesUnits', 'productOrders', 'pricePackages', 'templates', 'webhooks'] as const
export type ListResource = (typeof listResources)[number]

/** Details, read with one call a key: an MSN, `scheme/id`, an order's id. */
export type DetailResource = 'salesUnit' | 'merchant' | 'productOrder' | 'salesUnitWebhooks'

export type Resource = ListResource | DetailResource

/** When a list or a record was read, and how that went. Times are the database's. */
export type SyncState = {
  readonly resource: Resource
  readonly key: string
  /** When the API was asked for what the store has; null: never. */
  readonly checkedAt: Date | null
  readonly failingSince: Date | null
  readonly failure: 'unavailable' | 'refused' | null
  /** When an answer first looked wrong, and how long ago that is: it counts only once it has been read again. */
  readonly suspectSince: Date | null
  readonly suspectSeconds: number | null
  /** A user waits for it, and it has not been tried since. */
  readonly requested: boolean
  /** False where the API has no such list. */
  readonly available: boolean
  /** Rows of the last answer that could not be read. */
  readonly skipped: number
  /** Lists: how many rows there are; sales units: how many of them have been read in full. */
  readonly total: number | null
  readonly done: number | null
  readonly facets: unknown
}

/** The state of an organisation's lists. */
export async function listSyncStates(db: Handle, organisation: Organisation): Promise<SyncState[]> {
  const lists = statesWhere(organisation, sql`key = '' and resource = any(${listResources})`)
  return (await lists.execute(db)).rows
}

function statesWhere(organisation: Organisation, where: RawBuilder<unknown>): RawBuilder<SyncState> {
  return sql<SyncState>`
    select resource, key, failure, available, skipped, total, done, facets,
      checked_at as "checkedAt", failing_since as "failingSince", suspect_since as "suspectSince",
      extract(epoch from now() - suspect_since)::float8 as "suspectSeconds",
      requested_at is not null as requested
    from sync_state where organisation = ${organisationKey(organisation)} and ${where}`
}

/** The state of one list or record; undefined when the portal has never had a reason to read it. */
export async function findSyncState(
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  key = '',
): Promise<SyncState | undefined> {
  const { rows } = await statesWhere(organisation, sql`resource = ${resource} and key = ${key}`).execute(db)
  return rows[0]
}

/** How reading one list or record went. `askedMs`: how long ago the API was asked. */
export type Outcome = { readonly resource: Resource; readonly key: string; readonly askedMs: number } & (
  | {
      readonly failure?: undefined
      /** When it is due next; Infinity: not by itself. */
      readonly nextSeconds: number
      /** Instead of `nextSeconds` while no user of the organisation is active. */
      readonly idleSeconds?: number
      readonly skipped?: number
      readonly available?: boolean
    }
  | {
      readonly failure: 'unavailable' | 'refused'
      /** Seconds to the first retry; doubled with each further failure, up to `maxSeconds`. */
      readonly nextSeconds: number
      readonly maxSeconds: number
    }
)

/**
 * Writes how readings went. A success clears the failures before it; a failure leaves what is there and when it was
 * checked. Due times are spread by a tenth: by chance for records, by organisation for lists, which so stay due
 * together. What is not read by itself stays so: the record may have been removed while it was being read.
 * @param activeForSeconds how long after a page view an organisation counts as active
 */
export async function noteOutcomes(
  db: Handle,
  organisation: Organisation,
  outcomes: readonly Outcome[],
  activeForSeconds: number,
): Promise<void> {
  if (outcomes.length === 0) return
  const key = organisationKey(organisation)
  const rows = outcomes.map(({ nextSeconds, ...outcome }) => ({
    skipped: 0,
    available: true,
    ...outcome,
    nextSeconds: Number.isFinite(nextSeconds) ? nextSeconds : null,
  }))
  await sql`
    insert into sync_state as s
      (organisation, resource, key, due_at, checked_at, failing_since, failures, failure, skipped, available)
    select ${key}, o.resource, o.key,
      coalesce(now() + interval '1 second'
        * case when o.key = '' then 0.9 + mod(abs(hashtext(${key})::bigint), 200) / 1000.0 else 0.9 + random() / 5 end
        * case
            when o.failure is not null then least(o."maxSeconds", o."nextSeconds" * 2 ^ least(coalesce(old.failures, 0), 20))
            when active.is_active then o."nextSeconds"
            else coalesce(o."idleSeconds", o."nextSeconds") end,
        'infinity'),
      case when o.failure is null then now() - o."askedMs" * interval '1 millisecond' end,
      case when o.failure is not null then now() end, case when o.failure is null then 0 else 1 end,
      o.failure, o.skipped, o.available
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as o(
      resource text, key text, "askedMs" float8, "nextSeconds" float8, "idleSeconds" float8, "maxSeconds" float8,
      failure text, skipped int, available boolean)
    cross join (select exists (
      select from organisation_sync where organisation = ${key}
        and active_at > now() - ${activeForSeconds}::float8 * interval '1 second') as is_active) active
    left join sync_state old on old.organisation = ${key} and old.resource = o.resource and old.key = o.key
    on conflict (organisation, resource, key) do update set
      due_at = case when s.due_at = 'infinity' and (excluded.failure is null or s.resource = 'salesUnitWebhooks')
        then s.due_at else excluded.due_at end,
      requested_at = null,
      checked_at = greatest(excluded.checked_at, s.checked_at),
      failing_since = case when excluded.failure is not null then coalesce(s.failing_since, excluded.failing_since) end,
      failures = case when excluded.failure is null then 0 else s.failures + 1 end,
      failure = excluded.failure,
      suspect_since = case when excluded.failure is null then null else s.suspect_since end,
      skipped = case when excluded.failure is null then excluded.skipped else s.skipped end,
      available = case when excluded.failure is null then excluded.available else s.available end`.execute(db)
}

/**
 * Marks the last answer as suspect: it is read again `seconds` after the first such answer. The API answered, so
 * nothing fails.
 */
export async function markSuspect(
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  key: string,
  seconds: number,
): Promise<void> {
  await sql`
    update sync_state set suspect_since = coalesce(suspect_since, now()), requested_at = null,
      failing_since = null, failures = 0, failure = null,
      due_at = coalesce(suspect_since, now()) + ${seconds}::float8 * interval '1 second'
    where organisation = ${organisationKey(organisation)} and resource = ${resource} and key = ${key}`.execute(db)
}

/** Writes what a list's page shows without counting; undefined facets stay as they are. */
export async function writeSummary(
  db: Handle,
  organisation: Organisation,
  resource: ListResource,
  summary: { readonly total: number; readonly done?: number | null; readonly facets?: unknown },
): Promise<void> {
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
