import { sql } from 'kysely'
import type { AuditEvent } from './audit.ts'
import type { Handle } from './database.ts'

/** An entry as stored; `at` is ISO 8601 in UTC to the microsecond. */
export type AuditRow = {
  readonly id: string
  readonly at: string
  readonly event: string
  readonly userId: string | null
  readonly organisation: string | null
  readonly address: string | null
  readonly details: Readonly<Record<string, unknown>>
}

/** Which entries: of any of these users, organisations and events, and not older than `since`; empty means all. */
export type AuditFilter = {
  readonly userIds: readonly string[]
  readonly organisations: readonly string[]
  readonly events: readonly AuditEvent[]
  readonly since: Date | undefined
}

const rowsAtOnce = 1000

type Place = { readonly at: string; readonly id: string }

const inText = sql`to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/**
 * Entries, the newest last, some at a time, so that a long log needs no memory.
 * @param limit the newest so many; undefined: all
 */
export async function* readAudit(
  db: Handle,
  filter: AuditFilter,
  limit: number | undefined,
): AsyncGenerator<readonly AuditRow[]> {
  let after: Place = { at: '-infinity', id: '0' }
  if (limit !== undefined) after = (await placeOf(db, filter, limit)) ?? after
  for (;;) {
    const { rows } = await sql<AuditRow>`
      select id::text, ${inText} as at, event, user_id as "userId", organisation, address, details
      from audit where ${matching(filter)} and (audit.at, audit.id) > (${after.at}::timestamptz, ${after.id}::bigint)
      order by audit.at, audit.id limit ${rowsAtOnce}`.execute(db)
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (!last || rows.length < rowsAtOnce) return
    after = last
  }
}

/** Where the last `limit` entries begin; undefined when there are no more than that. */
async function placeOf(db: Handle, filter: AuditFilter, limit: number): Promise<Place | undefined> {
  const { rows } = await sql<Place>`
    select ${inText} as at, id::text from audit where ${matching(filter)}
    order by audit.at desc, audit.id desc offset ${limit} limit 1`.execute(db)
  return rows[0]
}

function matching({ userIds, organisations, events, since }: AuditFilter) {
  return sql`
  ${anyOf('user_id', userIds, 'uuid')} and ${anyOf('organisation', organisations, 'text')}
  and ${anyOf('event', events, 'text')} and at >= ${since ?? '-infinity'}::timestamptz`
}

function anyOf(column: string, values: readonly string[], type: 'text' | 'uuid') {
  return values.length === 0
    ? sql<boolean>`true`
    : sql<boolean>`${sql.ref(column)} = any(${values}::${sql.raw(type)}[])`
}
