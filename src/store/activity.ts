import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../organisation.ts'
import type { Handle } from './database.ts'
import { listResources } from './readings.ts'

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
      update sync_state set due_at = least(due_at, checked_at + ${periods.listSeconds}::float8 * interval '1 second')
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
