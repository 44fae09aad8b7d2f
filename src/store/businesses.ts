import { sql } from 'kysely'
import type { Handle } from './database.ts'
import { listResources } from './sync-state.ts'

/** What the page of all of a user's organisations says of one. */
export type Business = {
  /** The number of current sales units; null until they have been read. */
  readonly salesUnits: number | null
  /** The product orders that wait for their merchants. */
  readonly waiting: number
  /** The API has failed to answer for one of its lists since then. */
  readonly failingSince: Date | null
  /** When the user last viewed a page of it. */
  readonly usedAt: Date | null
}

/** What the sync has counted for these organisations, by organisationKey(), and when the user last used them. */
export async function businessesOf(
  db: Handle,
  organisations: readonly string[],
  userId: string,
): Promise<ReadonlyMap<string, Business>> {
  const { rows } = await sql<Business & { organisation: string }>`
    select given.organisation, lists."salesUnits", coalesce(lists.waiting, 0) as waiting,
      lists."failingSince", v.seen_at as "usedAt"
    from unnest(${organisations}::text[]) as given (organisation)
    left join visits v on v.organisation = given.organisation and v.user_id = ${userId}::uuid
    left join lateral (
      select max(total) filter (where resource = 'salesUnits') as "salesUnits",
        max(waiting.count) filter (where resource = 'productOrders')::int as waiting,
        min(failing_since) as "failingSince"
      from sync_state s left join lateral (
        select sum((facet ->> 'count')::int) as count
        from jsonb_array_elements(case when resource = 'productOrders' then s.facets -> 'status' end) facet
        where (facet ->> 'waits')::boolean) waiting on true
      where s.organisation = given.organisation and s.key = '' and s.resource = any(${listResources})) lists on true`.execute(
    db,
  )
  return new Map(rows.map(({ organisation, ...business }) => [organisation, business]))
}
