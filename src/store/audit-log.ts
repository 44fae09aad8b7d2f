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

/** Selects entries with any of these users, organisations and events, not older than `since`; empty lists match all. */
export type AuditFilter = {
  readonly userIds: readonly string[]
  readonly organisations: readonly string[]
  readonly events: readonly AuditEvent[]
  readonly since: Date | undefined
}

const rowsAtOnce = 1000

type Position = { readonly at: string; readonly id: string }

const isoTime = sql`to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/**
 * Entries in batches, newest last, so that a long log needs no memory.
 * @param limit the number of newest entries; undefined: all
 */
export async function* readAudit(
  db: Handle,
  filter: AuditFilter,
  limit: number | undefined,
): AsyncGenerator<readonly AuditRow[]> {
  let after: Position = { at: '-infinity', id: '0' }
  if (limit !== undefined) after = (await positionBefore(db, filter, limit)) ?? after
  for (;;) {
    const { rows } = await sql<AuditRow>`
      select id::text, ${isoTime} as at, event, user_id as "userId", organisation, address, details
      from audit where ${matching(filter)} and (audit.at, audit.id) > (${after.at}::timestamptz, ${after.id}::bigint)
      order by audit.at, audit.id limit ${rowsAtOnce}`.execute(db)
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (!last || rows.length < rowsAtOnce) return
    after = last
  }
}

/** The position before the last `limit` entries; undefined when there are no more than that. */
async function positionBefore(db: Handle, filter: AuditFilter, limit: number): Promise<Position | undefined> {
  const { rows } = await sql<Position>`
    select ${isoTime} as at, id::text from audit where ${matching(filter)}
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
