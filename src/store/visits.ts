import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'

/** A visit ends when no page has been viewed for this long. */
const idle = sql`interval '30 minutes'`
const isOver = sql`v.seen_at < now() - ${idle}`
/** How often the time of the last page view is written, at most. */
export const visitWriteMs = 5 * 60_000

/** Notes a page view, unless the user is removed meanwhile. Call it once in `visitWriteMs`; the end of a visit is exact to that. */
export async function noteVisit(db: Handle, organisation: Organisation, userId: string): Promise<void> {
  await sql`
    insert into visits as v (user_id, organisation)
    select id, ${organisationKey(organisation)} from users where id = ${userId}::uuid for key share
    on conflict (user_id, organisation) do update set seen_at = now(),
      last_visit_at = case when ${isOver} then v.seen_at else v.last_visit_at end,
      visits = v.visits + case when ${isOver} then 1 else 0 end
    where v.seen_at < now() - ${visitWriteMs}::int * interval '1 millisecond'`.execute(db)
}

/** A user's current visit of an organisation: 1 for the first one, and the end of the one before. */
export type CurrentVisit = { readonly number: number; readonly lastAt: Date | undefined }

/** The visit that the user makes now, also before its first page view is noted. */
export async function findVisit(db: Handle, organisation: Organisation, userId: string): Promise<CurrentVisit> {
  const { rows } = await sql<{ number: number; lastAt: Date | null }>`
    select v.visits + case when ${isOver} then 1 else 0 end as number,
      case when ${isOver} then v.seen_at else v.last_visit_at end as "lastAt"
    from visits v where user_id = ${userId}::uuid and organisation = ${organisationKey(organisation)}`.execute(db)
  const [row] = rows
  return { number: row?.number ?? 1, lastAt: row?.lastAt ?? undefined }
}

/** The end of the user's visit before this one; undefined at the first. */
export async function lastVisit(db: Handle, organisation: Organisation, userId: string): Promise<Date | undefined> {
  return (await findVisit(db, organisation, userId)).lastAt
}
