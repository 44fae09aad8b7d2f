import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../organisation.ts'
import type { Page } from '../paging.ts'
import type { Handle } from './database.ts'
import type { Json } from './records.ts'
import { findKeys } from './searching.ts'

/** A registration and whose it is: the sales unit's, or the organisation's own where there is none. */
export type StoredWebhook = {
  readonly listed: Json
  readonly msn: string
  readonly salesUnitName: string | null
}

/** A page of webhooks: the organisation's own first, then those of its sales units by MSN. `q` is looked for in URL and id. */
export const findWebhooks = async (
  db: Handle,
  organisation: Organisation,
  filter: { readonly q: string; readonly page: number },
): Promise<Page<StoredWebhook>> => {
  const key = organisationKey(organisation)
  const page = await findKeys(db, {
    table: 'webhooks',
    where: sql`organisation = ${key} and gone_at is null`,
    order: sql`msn, url, key`,
    columns: sql`msn, url`,
    ...filter,
  })
  if (page.rows.length === 0) return { ...page, rows: [] }
  const rows = await db
    .selectFrom('webhooks as w')
    .leftJoin('sales_units as s', (join) =>
      join.onRef('s.organisation', '=', 'w.organisation').onRef('s.key', '=', 'w.msn'),
    )
    .select(['w.listed', 'w.msn', 's.name as salesUnitName'])
    .where('w.organisation', '=', key)
    .where('w.key', 'in', page.rows)
    .orderBy('w.msn')
    .orderBy('w.url')
    .orderBy('w.key')
    .execute()
  return { ...page, rows: rows as StoredWebhook[] }
}

/** How many sales units there are to ask for their webhooks, and how many have not been asked yet. */
export const webhookProgress = async (
  db: Handle,
  organisation: Organisation,
): Promise<{ readonly unasked: number }> => {
  const { rows } = await sql<{ unasked: number }>`
    select count(*)::int as unasked from (
      select from readings where organisation = ${organisationKey(organisation)}
        and resource = 'salesUnitWebhooks' and checked_at is null and due_at < 'infinity' limit 1001
    ) unread`.execute(db)
  return { unasked: rows[0]?.unasked ?? 0 }
}
