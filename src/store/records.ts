import { sql } from 'kysely'
import { type Organisation, type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import type { Handle } from './database.ts'

/** The tables of records; each has the columns of `StoredRecord` and its own derived ones. */
export type RecordTable = 'sales_units' | 'merchants' | 'product_orders' | 'price_packages' | 'templates' | 'webhooks'

/** A JSON object, as the API sent it. */
export type Json = Readonly<Record<string, unknown>>

/** A row of any of the tables, without its derived columns. */
export type StoredRecord = {
  readonly key: string
  readonly first_seen_at: Date
  readonly last_seen_at: Date
  readonly changed_at: Date
  readonly removed_at: Date | null
  readonly removed_by: 'list' | 'details' | null
  readonly listed_digest: string | null
  readonly listed: Json | null
  readonly details: Json | null
}

/** The columns derived from the API's data, which differ from table to table. */
export type DerivedColumns = Readonly<Record<string, string | null>>

const columns = [
  'key',
  'first_seen_at',
  'last_seen_at',
  'changed_at',
  'removed_at',
  'removed_by',
  'listed_digest',
  'listed',
  'details',
] as const

/** The columns that show whether a list has a change for the row. */
export type RecordMark = Pick<StoredRecord, 'key' | 'listed_digest' | 'removed_by'>

/**
 * The marks of an organisation's rows by key, `limit` at a time, including removed ones.
 * @param options.msn webhooks only: those of this sales unit, or of the organisation itself ('')
 */
export async function marksOf(
  db: Handle,
  organisation: Organisation,
  table: RecordTable,
  options: { readonly after: string; readonly limit: number; readonly msn?: string | undefined },
): Promise<RecordMark[]> {
  const ofSalesUnit = options.msn === undefined ? sql`true` : sql`msn = ${options.msn}`
  const { rows } = await sql<RecordMark>`
    select key, listed_digest, removed_by from ${sql.table(table)}
    where organisation = ${organisationKey(organisation)} and key > ${options.after} and ${ofSalesUnit}
    order by key limit ${options.limit}`.execute(db)
  return rows
}

/**
 * Whether the organisation has a record that is in the store for its details alone, or removed for them alone. Others
 * are as their list has them.
 */
export async function hasOthersThanListed(
  db: Handle,
  organisation: Organisation,
  table: RecordTable,
): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (
      select from ${sql.table(table)} where organisation = ${organisationKey(organisation)}
        and (removed_by = 'details' or (listed is null and removed_at is null))) as found`.execute(db)
  return rows[0]?.found ?? false
}

/**
 * Locks out other writers of this organisation's records until the transaction ends. One lock per organisation avoids
 * deadlocks.
 * @returns the database's time; what is read after it is what the transaction changes
 */
export async function lockOrganisation(trx: Handle, organisation: OrganisationReference): Promise<Date> {
  const name = `records of ${organisationKey(organisation)}`
  // The CTE has a row once the lock is held, so the time is that after the wait.
  const { rows } = await sql<{ now: Date }>`
    with locked as materialized (select pg_advisory_xact_lock(hashtextextended(${name}, 0)))
    select clock_timestamp() as now from locked`.execute(trx)
  return rows[0]?.now ?? new Date()
}

/** The rows of these keys. */
export async function recordsOf(
  db: Handle,
  organisation: Organisation,
  table: RecordTable,
  keys: readonly string[],
): Promise<StoredRecord[]> {
  const { rows } = await sql<StoredRecord>`
    select ${sql.join(columns.map((column) => sql.ref(column)))} from ${sql.table(table)}
    where organisation = ${organisationKey(organisation)} and key = any(${keys})`.execute(db)
  return rows
}

/** All webhooks of these sales units, including removed ones. */
export async function webhooksOfSalesUnits(
  db: Handle,
  organisation: Organisation,
  msns: readonly string[],
): Promise<(StoredRecord & { readonly msn: string })[]> {
  const { rows } = await sql<StoredRecord & { msn: string }>`
    select msn, ${sql.join(columns.map((column) => sql.ref(column)))} from webhooks
    where organisation = ${organisationKey(organisation)} and msn = any(${msns})`.execute(db)
  return rows
}

/** Inserts or overwrites these rows, all of which must have the same derived columns. */
export async function writeRecords(
  trx: Handle,
  organisation: Organisation,
  table: RecordTable,
  rows: readonly { readonly record: StoredRecord; readonly derived: DerivedColumns }[],
): Promise<void> {
  const [first] = rows
  if (!first) return
  const key = organisationKey(organisation)
  const names = ['organisation', ...columns, ...Object.keys(first.derived)]
  const json = JSON.stringify(rows.map(({ record, derived }) => ({ organisation: key, ...record, ...derived })))
  const refs = names.map((name) => sql.ref(name))
  await sql`
    insert into ${sql.table(table)} (${sql.join(refs)})
    select ${sql.join(refs)} from jsonb_populate_recordset(null::${sql.table(table)}, ${json}::jsonb)
    on conflict (organisation, key) do update
    set ${sql.join(refs.slice(2).map((ref) => sql`${ref} = excluded.${ref}`))}`.execute(trx)
}

/** The names of merchants by `scheme/id`, of those that have been read. */
export async function merchantNames(
  db: Handle,
  organisation: Organisation,
  keys: readonly string[],
): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map()
  const { rows } = await sql<{ key: string; name: string }>`
    select key, name from merchants
    where organisation = ${organisationKey(organisation)} and key = any(${keys})`.execute(db)
  return new Map(rows.map(({ key, name }) => [key, name]))
}

/** Copies the names of these merchants to their sales units and product orders, where they differ. */
export async function spreadMerchantNames(
  trx: Handle,
  organisation: Organisation,
  keys: readonly string[],
): Promise<void> {
  const key = organisationKey(organisation)
  for (const table of ['sales_units', 'product_orders'] as const) {
    await sql`
      update ${sql.table(table)} t set merchant_name = m.name from merchants m
      where m.organisation = ${key} and m.key = any(${keys})
        and t.organisation = m.organisation
        and t.scheme = split_part(m.key, '/', 1) and t.business_id = split_part(m.key, '/', 2)
        and t.merchant_name is distinct from m.name`.execute(trx)
  }
}

/** Vacuums and analyses a table after many changes. */
export async function vacuumTable(db: Handle, table: RecordTable | 'sync_state' | 'merchant_summaries'): Promise<void> {
  await db.connection().execute(async (connection) => {
    await sql`set statement_timeout = 0`.execute(connection)
    try {
      await sql`vacuum (analyze) ${sql.table(table)}`.execute(connection)
    } finally {
      await sql`reset statement_timeout`.execute(connection)
    }
  })
}
