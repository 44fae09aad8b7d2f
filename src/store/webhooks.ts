import { sql } from 'kysely'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import type { Page, PageAsked, Sorting } from '../domain/paging.ts'
import type { Handle } from './database.ts'
import type { Json } from './records.ts'
import { findAllKeys, findPage, type Found, inThisOrder, isOfMerchant, isValue, sortedBy } from './searching.ts'

/** A registration and its owner: the sales unit, or the organisation when `msn` is empty. */
export type StoredWebhook = {
  readonly listed: Json
  readonly msn: string
  readonly salesUnitName: string | null
}

/**
 * `owner`: the organisation's own first, then those of its sales units by MSN. `problem`: before them those without a
 * URL that begins with https, then those without events.
 */
export type WebhookColumn = 'problem' | 'owner' | 'url'

const columns: Readonly<Record<WebhookColumn, readonly string[]>> = {
  problem: ['problem_rank', 'msn', 'url'],
  owner: ['msn', 'url'],
  url: ['url'],
}

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

/** The filter of the list; an empty string matches all. */
export type WebhookFilter = {
  /** Search text for URL and id. */
  readonly q: string
  /** The sales unit that it is registered for. */
  readonly msn?: string
  /** The merchantKey() of the merchant of the sales unit that it is registered for. */
  readonly merchant?: string
  /** An event that it receives. */
  readonly event?: string
  /** `own`: registered for the organisation; `units`: for single sales units. */
  readonly owner?: '' | 'own' | 'units'
}

/** A page of webhooks. */
export async function findWebhooks(
  db: Handle,
  organisation: Organisation,
  filter: WebhookFilter,
  { sort, ...asked }: PageAsked<WebhookColumn>,
): Promise<Page<StoredWebhook>> {
  return findPage(db, { ...search(organisation, filter, sort), ...asked }, rowsOf(db, organisation))
}

/** SQL: the events that a row of `webhooks` receives, as a JSON array. */
export const events = sql`case when jsonb_typeof(listed -> 'events') = 'array' then listed -> 'events' else '[]' end`

function search(
  organisation: Organisation,
  { q, msn = '', merchant = '', event = '', owner = '' }: WebhookFilter,
  sort: Sorting<WebhookColumn>,
) {
  const own = sql`organisation = ${organisationKey(organisation)}`
  const ofMerchant = sql`msn in (select key from sales_units where ${own} and ${isOfMerchant(merchant)})`
  return {
    table: 'webhooks',
    where: sql<boolean>`${own} and removed_at is null and ${isValue('msn', msn)}
      and ${merchant === '' ? sql`true` : ofMerchant}
      and ${event === '' ? sql`true` : sql`${events} @> to_jsonb(${event}::text)`}
      and ${owner === '' ? sql`true` : owner === 'own' ? sql`msn = ''` : sql`msn <> ''`}`,
    q,
    ...sortedBy(columns[sort.column], sort),
  }
}

/** The keys of all matches, in order. */
export async function allWebhooks(
  db: Handle,
  organisation: Organisation,
  filter: WebhookFilter,
  sort: Sorting<WebhookColumn>,
): Promise<string[]> {
  return findAllKeys(db, search(organisation, filter, sort))
}

/** Vipps MobilePay registers at most so many webhooks of one event for one owner; from `near` on the page says so. */
export const webhookLimit = { most: 25, near: 20 } as const

/** Events with almost as many registrations of one owner as there can be, the most first. */
export async function eventsNearLimit(
  db: Handle,
  organisation: Organisation,
  msns: readonly string[],
): Promise<{ readonly msn: string; readonly event: string; readonly count: number }[]> {
  const { rows } = await sql<{ msn: string; event: string; count: number }>`
    select msn, event, count(*)::int as count
    from webhooks, jsonb_array_elements_text(listed -> 'events') as event
    where organisation = ${organisationKey(organisation)} and msn = any(${msns}) and removed_at is null
    group by msn, event having count(*) >= ${webhookLimit.near} order by count desc, msn, event`.execute(db)
  return rows
}

/** Webhooks that went in the last 30 days though their owner is still there, the latest first. */
export async function webhooksGone(
  db: Handle,
  organisation: Organisation,
): Promise<{ readonly url: string; readonly removedAt: Date }[]> {
  const { rows } = await sql<{ url: string; removedAt: Date }>`
    select w.url, w.removed_at as "removedAt" from webhooks w
    left join sales_units s on s.organisation = w.organisation and s.key = w.msn
    where w.organisation = ${organisationKey(organisation)} and w.removed_at > now() - interval '30 days'
      and (w.msn = '' or s.removed_at is null)
    order by w.removed_at desc, w.key limit 100`.execute(db)
  return rows
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
