import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Database, Handle } from './database.ts'
import { sweep } from './sweep.ts'

/** The kind of a change to a record. */
export type ChangeKind = 'added' | 'changed' | 'removed' | 'returned'

/** Before and after of each field, by path such as `configuration.captureType`; null for an absent value. */
export type ChangedFields = Readonly<Record<string, readonly [before: unknown, after: unknown]>>

/** One change of a record, as the sync saw it. `resource` as in the sync state. */
export type Change = {
  readonly at: Date
  readonly resource: string
  readonly key: string
  readonly kind: ChangeKind
  readonly fields: ChangedFields
}

/** A change is at most this much later than its moment. */
export const longestMomentMs = 10 * 60_000

/** A change to add: the columns `moment`, `status` and `for_viewers` of the table. */
export type NewChange = Change & { readonly moment: Date; readonly status: string; readonly forViewers: boolean }

/**
 * Adds changes to the history. Call it in the transaction that writes the rows, so that both are committed or neither.
 */
export async function addChanges(db: Handle, organisation: Organisation, changes: readonly NewChange[]): Promise<void> {
  if (changes.length === 0) return
  const kept = changes.map((change) => ({ ...change, fields: boundedFields(change.fields), like: likeOf(change) }))
  await sql`
    insert into changes (organisation, at, resource, key, kind, fields, moment, status, for_viewers, alike)
    select ${organisationKey(organisation)}, at, resource, key, kind, fields, moment, status, "forViewers",
      hashtext("like")
    from jsonb_to_recordset(${JSON.stringify(kept)}::jsonb)
      as change(at timestamptz, resource text, key text, kind text, fields jsonb, moment timestamptz, status text,
        "forViewers" boolean, "like" text)`.execute(db)
}

/** What changes of one group have in common. */
function likeOf({ resource, kind, status, fields }: NewChange): string {
  return [resource, kind, status, ...(kind === 'changed' ? Object.keys(fields).toSorted() : [])].join('|')
}

/** The changes of one record, newest first, at most 100; `status` as in `NewChange`. */
export async function changesOf(
  db: Handle,
  organisation: Organisation,
  resource: string,
  key: string,
): Promise<(Change & Pick<NewChange, 'status'>)[]> {
  const rows = await db
    .selectFrom('changes')
    .select(['at', 'resource', 'key', 'kind', 'status', 'fields'])
    .where('organisation', '=', organisationKey(organisation))
    .where('resource', '=', resource)
    .where('key', '=', key)
    .orderBy('moment', 'desc')
    .orderBy('alike', 'desc')
    .orderBy('id', 'desc')
    .limit(100)
    .execute()
  return rows.map((row) => ({ ...row, fields: row.fields as ChangedFields }))
}

/**
 * Deletes changes older than `days`. When a record was first seen and removed stays with the record.
 * @returns the number of deleted changes
 */
export async function deleteOldChanges(database: Database, days: number): Promise<number> {
  return sweep(database, 'history', async (db, limit) => {
    await allowHistoryDeletes(db)
    const { numAffectedRows = 0n } = await sql`
      delete from changes where id = any(array(
        select id from changes where at < now() - make_interval(days => ${days}::int) limit ${limit}))`.execute(db)
    return Number(numAffectedRows)
  })
}

/** Lets this transaction delete changes, which the table's trigger refuses otherwise. */
export async function allowHistoryDeletes(trx: Handle): Promise<void> {
  await sql`select set_config('portal.history_retention', 'on', true)`.execute(trx)
}

/** Bounds of an entry, which may be kept for ever: the number of fields, and the characters of a value. */
const [mostFields, longestValue] = [100, 2000]

/** The fields of an entry within the bounds; a value that is too long becomes the beginning of its JSON. */
export function boundedFields(fields: ChangedFields): ChangedFields {
  const kept = Object.entries(fields).slice(0, mostFields)
  return Object.fromEntries(
    kept.map(([path, [before, after]]) => [path.slice(0, 200), [bounded(before), bounded(after)]]),
  )
}

function bounded(value: unknown): unknown {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return text.length > longestValue ? `${text.slice(0, longestValue).toWellFormed()}…` : value
}
