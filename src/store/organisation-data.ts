import { sql } from 'kysely'
import { type OrganisationReference, organisationKey } from '../domain/organisation.ts'
import { type AuditEntry, insertAudit } from './audit.ts'
import { allowHistoryDeletes } from './changes.ts'
import type { Handle } from './database.ts'
import { lockOrganisation } from './records.ts'

/** Every table with rows of an organisation. The audit log is not among them, as it keeps its own time. */
const tables = [
  'sales_units',
  'merchants',
  'merchant_summaries',
  'product_orders',
  'price_packages',
  'price_package_assignments',
  'templates',
  'webhooks',
  'changes',
  'visits',
  'sync_state',
  'organisation_sync',
  'notices',
  'notice_marks',
  'notice_channels',
  'notice_settings',
  'grants',
] as const

/** The number of rows of an organisation in each table. */
export type OrganisationRows = Readonly<Record<(typeof tables)[number], number>>

/** The keys of all organisations of which anything is stored, also those that are no longer configured. */
export async function storedOrganisations(db: Handle): Promise<string[]> {
  const each = tables.map((table) => sql`select distinct organisation from ${sql.table(table)}`)
  const { rows } = await sql<{ organisation: string }>`
    select organisation from (${sql.join(each, sql` union `)}) stored order by organisation collate "C"`.execute(db)
  return rows.map(({ organisation }) => organisation)
}

/** Counts what `removeOrganisation` would delete. */
export async function countOrganisationRows(
  db: Handle,
  organisation: OrganisationReference,
): Promise<OrganisationRows> {
  const key = organisationKey(organisation)
  const counts = tables.map(
    (table) => sql`
      (select count(*)::int from ${sql.table(table)} where organisation = ${key}) as ${sql.ref(table)}`,
  )
  const { rows } = await sql<OrganisationRows>`select ${sql.join(counts)}`.execute(db)
  return rows[0] ?? (Object.fromEntries(tables.map((table) => [table, 0])) as OrganisationRows)
}

/** Whether an instance is syncing the organisation now. The answer holds until the transaction ends. */
export async function isBeingSynced(trx: Handle, organisation: OrganisationReference): Promise<boolean> {
  const { rows } = await sql<{ leased: boolean }>`
    select coalesce(leased_until > now(), false) as leased from organisation_sync
    where organisation = ${organisationKey(organisation)} for update`.execute(trx)
  return rows[0]?.leased ?? false
}

/**
 * Deletes everything that is stored of an organisation: records, history, sync state, notices and grants, however long it takes.
 * Each grant ends with an audit entry. Call it in a transaction.
 * @param by the operator
 * @returns what was deleted, and the audit entries
 */
export async function removeOrganisation(
  trx: Handle,
  organisation: OrganisationReference,
  by: string,
): Promise<{ readonly deleted: OrganisationRows; readonly entries: readonly AuditEntry[] }> {
  const key = organisationKey(organisation)
  await sql`set local statement_timeout = 0`.execute(trx)
  await lockOrganisation(trx, organisation)
  await allowHistoryDeletes(trx)
  const users = await trx.selectFrom('grants').select('user_id').where('organisation', '=', key).execute()
  const deleted: Record<string, number> = {}
  for (const table of tables) {
    const { numAffectedRows = 0n } = await sql`delete from ${sql.table(table)} where organisation = ${key}`.execute(trx)
    deleted[table] = Number(numAffectedRows)
  }
  const entries: AuditEntry[] = [
    ...users.map(({ user_id: userId }): AuditEntry => ({
      event: 'revoke',
      userId,
      organisation: key,
      details: { reason: 'organisation removed', by },
    })),
    { event: 'organisation removed', organisation: key, details: { ...deleted, by } },
  ]
  await insertAudit(trx, entries)
  return { deleted: deleted as OrganisationRows, entries }
}
