import { type RawBuilder, sql } from 'kysely'
import { portalTimeZone } from '../domain/time-zone.ts'

/** SQL: the time is within the last so many days. */
export function sinceDays(column: string, days: string): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(column)} > now() - make_interval(days => ${days}::int)`
}

/** SQL: the time is in this month, such as 2026-11, of the portal's time zone. */
export function inMonth(column: string, month: string): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(column)} >= ${startOf(month)} at time zone ${portalTimeZone}
    and ${sql.ref(column)} < ${endOfMonth(month)}`
}

/** SQL: the end of a month, such as 2026-11, of the portal's time zone. */
export function endOfMonth(month: string): RawBuilder<Date> {
  return sql<Date>`(${startOf(month)} + interval '1 month') at time zone ${portalTimeZone}`
}

function startOf(month: string): RawBuilder<unknown> {
  return sql`${`${month}-01`}::date::timestamp`
}
