import { type RawBuilder, sql } from 'kysely'
import { unreadMember } from '../domain/unread-members.ts'
import type { Handle } from './database.ts'
import type { RecordTable } from './records.ts'

/** A member that could not be read in stored records: in how many, and the JSON type of an example. Never a value. */
export type UnreadMember = {
  /** By organisationKey(). */
  readonly organisation: string
  readonly table: RecordTable
  /** The path of the member, such as `businessAddress.lines[]`. */
  readonly member: string
  readonly records: number
  readonly example: string
}

const tables: readonly RecordTable[] = [
  'sales_units',
  'merchants',
  'product_orders',
  'price_packages',
  'templates',
  'webhooks',
]

/** The unread members of these organisations' records, most frequent first. Reads every record: for the operator only. */
export async function unreadMembersIn(db: Handle, organisations: readonly string[]): Promise<UnreadMember[]> {
  const found: RawBuilder<unknown>[] = tables.map(
    (table) => sql`
      select organisation, ${table} as "table", key, regexp_replace(path, '\\[\\d+\\]', '[]', 'g') as member, value
      from ${sql.table(table)},
        jsonb_each(coalesce(listed -> ${unreadMember}, '{}') || coalesce(details -> ${unreadMember}, '{}')) as unread(path, value)
      where organisation = any(${organisations}) and removed_at is null
        and (listed ? ${unreadMember} or details ? ${unreadMember})`,
  )
  const { rows } = await sql<UnreadMember>`
    select organisation, "table", member, count(distinct key)::int as records, min(jsonb_typeof(value)) as example
    from (${sql.join(found, sql` union all `)}) unread
    group by organisation, "table", member
    order by organisation, records desc, "table", member`.execute(db)
  return rows
}
