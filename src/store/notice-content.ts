import { type RawBuilder, sql } from 'kysely'
import type { DigestTopic } from '../domain/notices.ts'
import { type Organisation, organisationKey } from '../domain/organisation.ts'
import { finalStatuses } from '../domain/product-order.ts'
import type { Handle } from './database.ts'
import type { RecordTable } from './records.ts'
import { endOfFirstSync } from './summaries.ts'

/** The changes and the time that a notice tells of: after the first, up to and including the second. */
export type NoticeRange = {
  readonly afterChange: string
  readonly untilChange: string
  readonly afterAt: Date
  readonly untilAt: Date
}

/** A record in a notice. `name`: of the merchant, sales unit or price package, or the URL of a webhook. */
export type NoticeRow = {
  readonly key: string
  readonly name: string | null
  readonly scheme: string | null
  readonly businessId: string | null
  readonly productType: string | null
  /** When the link of an order expires. */
  readonly expiresAt: Date | null
}

/** The records of one topic, the newest first, at most `mostRows`, and how many there are. */
export type NoticeTopic = { readonly topic: DigestTopic; readonly count: number; readonly rows: readonly NoticeRow[] }

const mostRows = 5

/**
 * What happened in an organisation, by topic. What has been undone since, such as a removal, is left out.
 * @param days an order is about to expire so many days before its link does
 */
export async function noticeTopics(
  db: Handle,
  organisation: Organisation,
  range: NoticeRange,
  days: number,
): Promise<NoticeTopic[]> {
  const { rows } = await sql<NoticeRow & { topic: DigestTopic; count: number }>`
    with happened as (${happenedIn(organisationKey(organisation), range, days)}),
    numbered as (
      select *, (row_number() over newest)::int as n, (count(*) over (partition by topic))::int as count
      from (select distinct on (topic, key) * from happened order by topic, key, id desc) once
      window newest as (partition by topic order by "expiresAt", id desc, key))
    select topic, count, key, name, scheme, "businessId", "productType", "expiresAt"
    from numbered where n <= ${mostRows} order by topic, n`.execute(db)
  const topics = Map.groupBy(rows, ({ topic }) => topic)
  return [...topics].map(([topic, ofTopic]) => ({ topic, count: ofTopic[0]?.count ?? 0, rows: ofTopic }))
}

/** The topics of which there is anything in the range. */
export async function noticeTopicsIn(
  db: Handle,
  organisation: string,
  range: NoticeRange,
  days: number,
): Promise<DigestTopic[]> {
  const { rows } = await sql<{ topic: DigestTopic }>`
    select distinct topic from (${happenedIn(organisation, range, days)}) happened`.execute(db)
  return rows.map(({ topic }) => topic)
}

/** Records are read as they are now; what belongs to the first sync of their kind did not happen. */
function happenedIn(of: string, { afterChange, untilChange, afterAt, untilAt }: NoticeRange, days: number) {
  const changed = (table: string, resource: string) => sql`
    from ${sql.table(table)} r join changes c on c.organisation = r.organisation and c.key = r.key
    where c.organisation = ${of} and c.id > ${afterChange}::bigint and c.id <= ${untilChange}::bigint
      and c.resource = ${resource}`
  const isNew = (table: RecordTable) => sql`
    c.kind = 'added' and c.at > ${endOfFirstSync(table, sql`organisation = ${of}`)}`
  const order = sql`r.merchant_name as name, r.scheme, r.business_id as "businessId", r.product_type as "productType"`
  const none = sql`null::timestamptz as "expiresAt"`
  const decided = finalStatuses.filter((status) => status !== 'EXPIRED')
  return sql`
    select lower(r.status) as topic, c.id, c.key, ${order}, ${none} ${changed('product_orders', 'productOrder')}
      and r.removed_at is null and r.status = any(${decided})
      and (c.fields #>> '{status,1}' = r.status or (c.at = r.changed_at and ${isNew('product_orders')}))
    union all
    select case c.kind when 'removed' then 'removed' else 'added' end, c.id, c.key,
      r.name, r.scheme, r.business_id, null, null ${changed('sales_units', 'salesUnit')}
      and ((c.kind = 'removed' and r.removed_at is not null) or (r.removed_at is null and ${isNew('sales_units')}))
    union all
    select 'webhooks', c.id, c.key, r.url, null, null, null, null ${changed('webhooks', 'webhook')}
      and c.kind = 'removed' and r.removed_at is not null
    union all
    select 'prices', c.id, c.key, r.listed ->> 'name', null, null, null, null
      ${changed('price_packages', 'pricePackage')} and (c.kind <> 'added' or ${isNew('price_packages')})
    union all
    select 'expiring', 0, r.key, ${order}, r.expires_at
    from product_orders r where r.organisation = ${of} and ${comesCloseToExpiry(sql`${afterAt}`, sql`${untilAt}`, days)}`
}

/** SQL: whether the link of an order `r` came within `days` of its expiry in the period, and has not expired. */
export function comesCloseToExpiry(
  after: RawBuilder<unknown>,
  until: RawBuilder<unknown>,
  days: number,
): RawBuilder<boolean> {
  const span = sql`${days}::int * interval '1 day'`
  return sql`r.removed_at is null and r.expires_at > greatest(${after}::timestamptz + ${span}, ${until}::timestamptz)
    and r.expires_at <= ${until}::timestamptz + ${span}`
}
