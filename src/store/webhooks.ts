import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Page, PageAsked, Sorting } from '../domain/paging.ts'
import type { Handle } from './database.ts'
import type { Json } from './records.ts'
import { findAllKeys, findPage, type Found, inThisOrder, sortedBy } from './searching.ts'

/** A registration and its owner: the sales unit, or the organisation when `msn` is empty. */
export type StoredWebhook = {
  readonly listed: Json
  readonly msn: string
  readonly salesUnitName: string | null
}

/** `owner`: the organisation's own first, then those of its sales units by MSN. */
export type WebhookColumn = 'owner' | 'url'

const columns: Readonly<Record<WebhookColumn, readonly string[]>> = { owner: ['msn', 'url'], url: ['url'] }

/** The organisation's webhooks with these keys, in their order. */
export async function webhooksOf(
  db: Handle,
  organisation: Organisation,
  keys: readonly string[],
): Promise<StoredWebhook[]> {
  return rowsOf(db, organisation)(inThisOrder(keys))
}

function rowsOf(db: Handle, organisation: Organisation) {
  return async (found: Found): Promise<StoredWebhook[]> => {
    const rows = await db
      .selectFrom('webhooks as w')
      .innerJoin(found.as('found'), (join) => join.onRef('found.key', '=', 'w.key'))
      .leftJoin('sales_units as s', (join) =>
        join.onRef('s.organisation', '=', 'w.organisation').onRef('s.key', '=', 'w.msn'),
      )
      .select(['w.listed', 'w.msn', 's.name as salesUnitName'])
      .where('w.organisation', '=', organisationKey(organisation))
      .orderBy('found.position')
      .execute()
    return rows as StoredWebhook[]
  }
}

/** A page of webhooks; `q` is searched in URL and id. */
export async function findWebhooks(
  db: Handle,
  organisation: Organisation,
  { q }: { readonly q: string },
  { sort, ...asked }: PageAsked<WebhookColumn>,
): Promise<Page<StoredWebhook>> {
  return findPage(db, { ...search(organisation, q, sort), ...asked }, rowsOf(db, organisation))
}

function search(organisation: Organisation, q: string, sort: Sorting<WebhookColumn>) {
  return {
    table: 'webhooks',
    where: sql<boolean>`organisation = ${organisationKey(organisation)} and removed_at is null`,
    q,
    ...sortedBy(columns[sort.column], sort),
  }
}

/** The keys of all matches of `q`, in order. */
export async function allWebhooks(
  db: Handle,
  organisation: Organisation,
  { q }: { readonly q: string },
  sort: Sorting<WebhookColumn>,
): Promise<string[]> {
  return findAllKeys(db, search(organisation, q, sort))
}

/** The number of sales units whose webhooks have not been read yet, counted up to 1001. */
export async function webhookProgress(db: Handle, organisation: Organisation): Promise<{ readonly unasked: number }> {
  const { rows } = await sql<{ unasked: number }>`
    select count(*)::int as unasked from (
      select from sync_state where organisation = ${organisationKey(organisation)}
        and resource = 'salesUnitWebhooks' and checked_at is null and due_at < 'infinity' limit 1001
    ) unread`.execute(db)
  return { unasked: rows[0]?.unasked ?? 0 }
}
