import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'

/** A visit ends when no page has been viewed for this long. */
const idle = sql`interval '30 minutes'`
/** How often the time of the last page view is written, at most. */
export const visitWriteMs = 5 * 60_000

/** Notes a page view, unless the user is removed meanwhile. Call it once in `visitWriteMs`; the end of a visit is exact to that. */
export async function noteVisit(db: Handle, organisation: Organisation, userId: string): Promise<void> {
  await sql`
    insert into visits as v (user_id, organisation)
    select id, ${organisationKey(organisation)} from users where id = ${userId}::uuid for key share
    on conflict (user_id, organisation) do update set seen_at = now(),
      last_visit_at = case when v.seen_at < now() - ${idle} then v.seen_at else v.last_visit_at end
    where v.seen_at < now() - ${visitWriteMs}::int * interval '1 millisecond'`.execute(db)
}

/** The end of the user's visit before this one; undefined at the first. */
export async function lastVisit(db: Handle, organisation: Organisation, userId: string): Promise<Date | undefined> {
  const { rows } = await sql<{ at: Date | null }>`
    select case when seen_at < now() - ${idle} then seen_at else last_visit_at end as at from visits
    where user_id = ${userId}::uuid and organisation = ${organisationKey(organisation)}`.execute(db)
  return rows[0]?.at ?? undefined
}
