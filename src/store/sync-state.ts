import { type RawBuilder, sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'

/** The lists, read whole with one call each. `webhooks` are the organisation's own. */
export const listResources = ['salesUnits', 'productOrders', 'pricePackages', 'templates', 'webhooks'] as const
/** A resource that is a list. */
export type ListResource = (typeof listResources)[number]

/** Details, read with one call per key: an MSN, `scheme/id`, an order id. */
export type DetailResource = 'salesUnit' | 'merchant' | 'productOrder' | 'salesUnitWebhooks'

/** A list or a kind of details. */
export type Resource = ListResource | DetailResource

/** Why a read failed. `limited`: the API asked to wait. */
export type Failure = 'unavailable' | 'refused' | 'limited'

/** When a list or record was last read, and the outcome. Times are the database's. */
export type SyncState = {
  readonly resource: Resource
  readonly key: string
  /** When the API was asked for the stored data; null: never. */
  readonly checkedAt: Date | null
  readonly failingSince: Date | null
  readonly failure: Failure | null
  /** When an answer was first suspect, and its age; it is applied once a second read confirms it. */
  readonly suspectSince: Date | null
  readonly suspectSeconds: number | null
  /** A user waits for it, and it has not been tried since. */
  readonly requested: boolean
  /** False when the API has no such list. */
  readonly available: boolean
  /** The API answered 404 to the last read of this record: it has none, or does not share it. */
  readonly absent: boolean
  /** Malformed rows of the last answer. */
  readonly skipped: number
  /** Lists: the number of rows; sales units: the number whose details have been read. */
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
    select resource, key, failure, available, absent, skipped, total, done, facets,
      checked_at as "checkedAt", failing_since as "failingSince", suspect_since as "suspectSince",
      extract(epoch from now() - suspect_since)::float8 as "suspectSeconds",
      requested_at is not null as requested
    from sync_state where organisation = ${organisationKey(organisation)} and ${where}`
}

/** The state of one list or record; undefined when it was never scheduled. */
export async function findSyncState(
  db: Handle,
  organisation: Organisation,
  resource: Resource,
  key = '',
): Promise<SyncState | undefined> {
  const { rows } = await statesWhere(organisation, sql`resource = ${resource} and key = ${key}`).execute(db)
  return rows[0]
}

/** The outcome of reading one list or record. `askedMs`: how long ago the API was asked. */
export type Outcome = { readonly resource: Resource; readonly key: string; readonly askedMs: number } & (
  | {
      readonly failure?: undefined
      /** When it is due next; Infinity: never by itself. */
      readonly nextSeconds: number
      /** Replaces `nextSeconds` while no user of the organisation is active. */
      readonly idleSeconds?: number
      readonly skipped?: number
      readonly available?: boolean
      readonly absent?: boolean
      /** Lists: a digest of the answer, when the store has all of it. */
      readonly answerDigest?: string | undefined
    }
  | {
      readonly failure: Failure
      /** What the API said about it, redacted. */
      readonly said?: string | undefined
      /** Seconds to the first retry; doubled with each further failure, up to `maxSeconds`. */
      readonly nextSeconds: number
      readonly maxSeconds: number
    }
)

/**
 * Writes outcomes. A success clears earlier failures; a failure keeps the data and its check time. Due times are spread
 * by a tenth: randomly for records, by organisation for lists, so that these stay due together. Records that are not
 * refreshed by themselves stay so, as they may have been removed while they were read.
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
    absent: false,
    ...outcome,
    nextSeconds: Number.isFinite(nextSeconds) ? nextSeconds : null,
  }))
  await sql`
    insert into sync_state as s
      (organisation, resource, key, due_at, checked_at, failing_since, failures, failure, failure_said, skipped, available,
      absent, answer_digest)
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
      o.failure, o.said, o.skipped, o.available, o.absent, o."answerDigest"
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as o(
      resource text, key text, "askedMs" float8, "nextSeconds" float8, "idleSeconds" float8, "maxSeconds" float8,
      failure text, said text, skipped int, available boolean, absent boolean, "answerDigest" text)
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
      failure_said = case when excluded.failure is not null then coalesce(excluded.failure_said, s.failure_said) end,
      suspect_since = case when excluded.failure is null then null else s.suspect_since end,
      skipped = case when excluded.failure is null then excluded.skipped else s.skipped end,
      available = case when excluded.failure is null then excluded.available else s.available end,
      absent = case when excluded.failure is null then excluded.absent else s.absent end,
      answer_digest = case when excluded.failure is null then excluded.answer_digest else s.answer_digest end`.execute(
    db,
  )
}

/**
 * Marks the last answer as suspect: it is read again `seconds` after the first such answer. This is no failure, as the
 * API answered.
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
      failing_since = null, failures = 0, failure = null, failure_said = null,
      due_at = coalesce(suspect_since, now()) + ${seconds}::float8 * interval '1 second'
    where organisation = ${organisationKey(organisation)} and resource = ${resource} and key = ${key}`.execute(db)
}

/** Forgets the digest of a list's last answer: from now on the store has part of another one. */
export async function forgetAnswer(db: Handle, organisation: Organisation, resource: ListResource): Promise<void> {
  await sql`
    update sync_state set answer_digest = null
    where organisation = ${organisationKey(organisation)} and resource = ${resource} and key = ''
      and answer_digest is not null`.execute(db)
}

/** Writes how much of a list has been read, which its page shows. */
export async function writeProgress(
  db: Handle,
  organisation: Organisation,
  resource: ListResource,
  { total, done }: { readonly total: number; readonly done: number },
): Promise<void> {
  await sql`
    update sync_state set total = ${total}, done = ${done}
    where organisation = ${organisationKey(organisation)} and resource = ${resource} and key = ''`.execute(db)
}
