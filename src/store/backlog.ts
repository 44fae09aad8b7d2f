import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'
import type { Resource } from './sync-state.ts'

/** The sync progress of one resource of an organisation. Times are the database's; `at` is its now. */
export type Backlog = {
  /** By organisationKey(). */
  readonly organisation: string
  readonly resource: Resource
  /** All items; those due now, never read, and failing at the last try. */
  readonly count: number
  readonly due: number
  readonly unread: number
  readonly failing: number
  /** Failing items whose credentials the API refused. */
  readonly refused: number
  /** Failing items for which the API asked to wait. */
  readonly limited: number
  /** What the API said about the latest failure, redacted; null when it said nothing. */
  readonly said: string | null
  /** `untried`: due, other than for a retry. `read`: neither untried nor failing. */
  readonly untried: number
  readonly read: number
  /** Lists: the number of rows; null when unknown. */
  readonly total: number | null
  readonly oldestCheckedAt: Date | null
  readonly newestCheckedAt: Date | null
  readonly failingSince: Date | null
  readonly suspectSince: Date | null
  readonly at: Date
}

/**
 * The sync progress of these organisations, one item per resource. Items that are not refreshed by themselves are left
 * out.
 * @param organisations by organisationKey()
 */
export async function backlogsOf(db: Handle, organisations: readonly string[]): Promise<Backlog[]> {
  const { rows } = await sql<Backlog>`
    select organisation, resource, count(*)::int as count,
      count(*) filter (where due_at <= now() or requested_at is not null)::int as due,
      count(*) filter (where checked_at is null)::int as unread,
      count(*) filter (where failures > 0)::int as failing,
      count(*) filter (where failure = 'refused')::int as refused,
      count(*) filter (where failure = 'limited')::int as limited,
      (array_agg(failure_said order by failing_since desc) filter (where failure_said is not null))[1] as said,
      count(*) filter (where untried)::int as untried,
      count(*) filter (where failures = 0 and not untried)::int as read,
      max(total) filter (where key = '') as total,
      min(checked_at) as "oldestCheckedAt", max(checked_at) as "newestCheckedAt",
      min(failing_since) as "failingSince", min(suspect_since) as "suspectSince", now() as at
    from (
      select *, requested_at is not null or due_at = 'epoch' or (due_at <= now() and failures = 0) as untried
      from sync_state
      where organisation = any(${organisations}) and (due_at < 'infinity' or requested_at is not null)
    ) r
    group by organisation, resource order by organisation, resource`.execute(db)
  return rows
}

/** The sync progress of one organisation. */
export async function backlogOf(db: Handle, organisation: Organisation): Promise<Backlog[]> {
  return backlogsOf(db, [organisationKey(organisation)])
}
